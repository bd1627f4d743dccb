// struct cpumask: one bit per CPU in 32-bit words, 16 words a line, each word a cell.

import { Cell, type Lifetime, type Line } from "./cell.ts";
import { type Kernel, load, locked, work } from "./operation.ts";
import { costs } from "./costs.ts";

const WORDS_PER_LINE = 16;

export class CpuMask {
  readonly words: readonly Cell<number>[];

  constructor(name: string, cpuCount: number, allocateLine: () => Line, owner: Lifetime | null) {
    const words: Cell<number>[] = [];
    let line: Line | undefined;
    for (let index = 0; index * 32 < cpuCount; index++) {
      if (index % WORDS_PER_LINE === 0) line = allocateLine();
      words.push(new Cell(`${name}[${index}]`, line!, 0, owner));
    }
    this.words = words;
  }

  /** What the mask holds, for checkers and assertions; kernel code loads it instead. */
  has(cpu: number): boolean {
    return ((this.words[cpu >>> 5]!.value >>> (cpu & 31)) & 1) === 1;
  }
}

/** cpumask_set_cpu: LOCK BTS, a full barrier. */
export function* setCpu(mask: CpuMask, cpu: number): Kernel {
  yield* locked(mask.words[cpu >>> 5]!, (word) => (word | (1 << (cpu & 31))) >>> 0);
}

/** cpumask_clear_cpu: LOCK BTR. */
export function* clearCpu(mask: CpuMask, cpu: number): Kernel {
  yield* locked(mask.words[cpu >>> 5]!, (word) => (word & ~(1 << (cpu & 31))) >>> 0);
}

/** cpumask_test_cpu: a plain load. */
export function* testCpu(mask: CpuMask, cpu: number): Kernel<boolean> {
  const word = yield* load(mask.words[cpu >>> 5]!);
  return ((word >>> (cpu & 31)) & 1) === 1;
}

/** for_each_cpu: the CPUs of the mask in ascending order, by one load per word. */
export function* cpusOf(mask: CpuMask): Kernel<number[]> {
  const cpus: number[] = [];
  for (let index = 0; index < mask.words.length; index++) {
    let word = yield* load(mask.words[index]!);
    while (word !== 0) {
      const bit = 31 - Math.clz32(word & -word);
      cpus.push(index * 32 + bit);
      word &= word - 1;
    }
  }
  yield* work(costs.scanMask);
  return cpus;
}

/** cpumask_and with a list: those of `cpus`, ascending, that are in the mask; one load per word. */
export function* among(mask: CpuMask, cpus: readonly number[]): Kernel<number[]> {
  const found: number[] = [];
  let index = -1;
  let word = 0;
  for (const cpu of cpus) {
    if (cpu >>> 5 !== index) {
      index = cpu >>> 5;
      word = yield* load(mask.words[index]!);
    }
    if (((word >>> (cpu & 31)) & 1) === 1) found.push(cpu);
  }
  return found;
}
