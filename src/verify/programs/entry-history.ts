// What a program's registers and entries have been, moment by moment. A moment begins whenever one
// of them changes or something is invalidated: between two, nothing happens that caches could tell.

import {
  CR4,
  EFER,
  pagingMode,
  type PagingMode,
  type Processor,
} from "../../reference/registers.ts";
import { pcidOf, type Invalidation } from "./invalidation.ts";

export interface Moment {
  readonly processor: Processor;
  readonly pcid: bigint;
  readonly mode: PagingMode;
  /** The control bits that decide what an entry means. */
  readonly form: bigint;
  /** What was dropped as the moment began. */
  readonly invalidation?: Invalidation;
}

interface Held {
  readonly since: number;
  readonly value: bigint;
}

const isOfAll = ({ pcid, address }: Invalidation): boolean =>
  pcid === undefined && address === undefined;

const FORM_OF_CR4 = CR4.PSE | CR4.PAE | CR4.PGE | CR4.LA57;

export class History {
  readonly moments: Moment[] = [];
  /** Values of each aligned word of 8 bytes, oldest first. */
  private readonly words = new Map<bigint, Held[]>();

  private forgotten = 0;

  constructor(processor: Processor) {
    this.begin(processor);
  }

  get now(): number {
    return this.moments.length - 1;
  }

  get current(): Moment {
    return this.moments[this.now]!;
  }

  /** The first moment of which anything may still be cached. */
  get oldest(): number {
    return this.forgotten;
  }

  begin(processor: Processor, invalidation?: Invalidation): void {
    const { registers } = processor;
    this.moments.push({
      processor,
      pcid: pcidOf(processor),
      mode: pagingMode(registers),
      form: (registers.cr4 & FORM_OF_CR4) | ((registers.efer & EFER.NXE) << 32n),
      ...(invalidation !== undefined && { invalidation }),
    });
    if (invalidation?.globals === true && isOfAll(invalidation)) this.forgotten = this.now;
  }

  /** From now on the word at an aligned address has this value. */
  record(address: bigint, value: bigint): void {
    const held = this.words.get(address);
    if (held === undefined) this.words.set(address, [{ since: this.now, value }]);
    else if (held.at(-1)!.value !== value) held.push({ since: this.now, value });
  }

  /** The words that were recorded, and what is in them now. */
  *current64(): Iterable<readonly [address: bigint, value: bigint]> {
    for (const [address, held] of this.words) yield [address, held.at(-1)!.value];
  }

  /** The aligned 4 or 8 bytes at an address, as they were in a moment. */
  valueAt(address: bigint, bytes: 4 | 8, moment: number): bigint {
    const held = this.words.get(address & ~7n);
    let index = held === undefined ? -1 : held.length - 1;
    while (index >= 0 && held![index]!.since > moment) index--;
    const word = index < 0 ? 0n : held![index]!.value;
    return bytes === 8 ? word : BigInt.asUintN(32, word >> (8n * (address & 4n)));
  }

  /** Whether a flag of an entry has been set in any moment of which something may be cached. */
  everHad(address: bigint, bytes: 4 | 8, flag: bigint): boolean {
    const shift = bytes === 8 ? 0n : 8n * (address & 4n);
    const held = this.words.get(address & ~7n) ?? [];
    return held.some(
      ({ value }, index) =>
        ((value >> shift) & flag) !== 0n && (held[index + 1]?.since ?? Infinity) > this.oldest,
    );
  }

  /** Whether what was cached in one moment is still there in a later one. */
  survives(isDropped: (by: Invalidation) => boolean, from: number, to: number): boolean {
    for (let moment = from + 1; moment <= to; moment++) {
      const { invalidation } = this.moments[moment]!;
      if (invalidation !== undefined && isDropped(invalidation)) return false;
    }
    return true;
  }
}
