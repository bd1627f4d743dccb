// Physical memory: every byte of it is there and zero until written.

import { assert } from "../base/assert.ts";

const LOW_HALF = 0xffff_ffffn;

/** Reads 4 or 8 bytes at an aligned physical address. */
export type ReadPhysical = (address: bigint, bytes: 4 | 8) => bigint;

export class PhysicalMemory {
  /** The words that were written, by the address of their first byte. */
  private readonly words = new Map<bigint, bigint>();

  read(address: bigint, bytes: 4 | 8): bigint {
    const word = this.wordAt(address, bytes);
    if (bytes === 8) return word;
    return (address & 4n) === 0n ? word & LOW_HALF : word >> 32n;
  }

  write(address: bigint, bytes: 4 | 8, value: bigint): void {
    const before = this.wordAt(address, bytes);
    let word = BigInt.asUintN(64, value);
    if (bytes === 4) {
      const half = value & LOW_HALF;
      word =
        (address & 4n) === 0n ? (before & ~LOW_HALF) | half : (half << 32n) | (before & LOW_HALF);
    }
    this.words.set(address & ~7n, word);
  }

  private wordAt(address: bigint, bytes: 4 | 8): bigint {
    assert((address & BigInt(bytes - 1)) === 0n, "a physical access is aligned");
    return this.words.get(address & ~7n) ?? 0n;
  }
}
