// struct cpumask: one bit per CPU in 32-bit words, 16 words a line, each word a cell.

import { Cell, type Lifetime, type Line } from "../operation/cell.ts";

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
