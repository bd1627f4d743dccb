// What a generator of cases draws from its random numbers.

import type { Random } from "./random.ts";

/** Where the numbers come from: a seed, or the choices of a property test. */
export type Numbers = Pick<Random, "word" | "below">;

export class Dice {
  constructor(private readonly random: Numbers) {}

  below(limit: number): number {
    return this.random.below(limit);
  }

  /** True once in so many times. */
  once(inTimes: number): boolean {
    return this.below(inTimes) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** A number of so many random bits. */
  bits(count: number): bigint {
    const low = BigInt(this.random.word());
    const high = BigInt(this.random.word());
    return BigInt.asUintN(count, (high << 32n) | low);
  }

  /** Some of the bits of `mask`. */
  some(mask: bigint): bigint {
    return this.bits(64) & mask;
  }

  /** Each of `flags` by itself, once in so many times. */
  flags(flags: readonly bigint[], inTimes: number): bigint {
    return flags.reduce((sum, flag) => (this.once(inTimes) ? sum | flag : sum), 0n);
  }
}
