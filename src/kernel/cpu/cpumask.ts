// include/linux/cpumask.h: what kernel code does with a mask of CPUs.

import { costs } from "../operation/costs.ts";
import { type KernelCode, load, locked, work } from "../operation/operation.ts";
import type { CpuMask } from "../state/cpu-mask.ts";
import { nameFunctions } from "../operation/origin.ts";

/** cpumask_set_cpu: LOCK BTS, a full barrier. */
export function* setCpu(mask: CpuMask, cpu: number): KernelCode {
  yield* locked(mask.words[cpu >>> 5]!, (word) => (word | (1 << (cpu & 31))) >>> 0);
}

/** cpumask_clear_cpu: LOCK BTR. */
export function* clearCpu(mask: CpuMask, cpu: number): KernelCode {
  yield* locked(mask.words[cpu >>> 5]!, (word) => (word & ~(1 << (cpu & 31))) >>> 0);
}

/** cpumask_test_cpu: a plain load. */
export function* testCpu(mask: CpuMask, cpu: number): KernelCode<boolean> {
  const word = yield* load(mask.words[cpu >>> 5]!);
  return ((word >>> (cpu & 31)) & 1) === 1;
}

/** for_each_cpu: the CPUs of the mask in ascending order, by one load per word. */
export function* cpusOf(mask: CpuMask): KernelCode<number[]> {
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
export function* among(mask: CpuMask, cpus: readonly number[]): KernelCode<number[]> {
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

nameFunctions({
  cpumask_set_cpu: setCpu,
  cpumask_clear_cpu: clearCpu,
  cpumask_test_cpu: testCpu,
  for_each_cpu: cpusOf,
  cpumask_and: among,
});
