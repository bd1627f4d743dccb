// What steps can meet in, as numbers: cells, page-table entries, and the state of each CPU. Also
// who has touched which: what only one kernel stack touches needs no step of its own.

import type { FrameNumber, PageNumber } from "../../base/address.ts";
import type { Cell } from "../../kernel/operation/cell.ts";
import type { Mm } from "../../kernel/state/mm.ts";

/** Kernel code that runs in one order: a CPU's tasks are one, its interrupt handlers another. */
export type Owner = number;

/** What a location is known by in every thread. */
export type LocationKey = string | number;

/** Who has read a location, and who has written it. */
export type Owners = readonly [LocationKey, readers: Owner, writers: Owner];

/** More than any user page number. */
const SPAN = 2 ** 36;

export class Locations {
  private readonly numbers = new Map<LocationKey, number>();
  private readonly readers: Owner[] = [];
  private readonly writers: Owner[] = [];
  private readonly shared: boolean[] = [];
  /** A location that is taken for private has been shared since `begin`. */
  grew = false;

  /** Forgets who touched what; from now on these locations are taken for shared, and no others. */
  begin(shared: readonly LocationKey[]): void {
    this.readers.fill(0);
    this.writers.fill(0);
    this.shared.fill(false);
    for (const key of shared) this.shared[this.named(key)] = true;
    this.grew = false;
  }

  ofCell(cell: Cell): number {
    if (cell.location < 0) cell.location = this.named(cell.name);
    return cell.location;
  }

  /** The leaf entry of a page below a root. */
  ofEntry(root: FrameNumber, page: PageNumber): number {
    return this.named(root * SPAN + page);
  }

  /** What a page is mapped to below a root: met by who changes that, not by who maps it first. */
  ofMapping(root: FrameNumber, page: PageNumber): number {
    return this.named(-1 - (root * SPAN + page));
  }

  /** The tables below a root: which there are, not what the leaf entries hold. */
  ofTables(root: FrameNumber): number {
    return this.named(root * SPAN + SPAN - 1);
  }

  /** Met by those who use translations of the mm, and those who declare them out of date. */
  ofTranslations(mm: Mm): number {
    return this.named(`${mm.name} translations`);
  }

  /** Met by flushes of the mm that return, and by who declares translations old without. */
  ofReturns(mm: Mm): number {
    return this.named(`${mm.name} returns`);
  }

  /** Met by those who hold a pointer to the mm, and whoever frees it. */
  ofLifetime(mm: Mm): number {
    return this.named(`${mm.name} lifetime`);
  }

  /** Cells are known by name: one made anew in each execution is the same in all of them. */
  named(name: LocationKey): number {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(name, number);
      this.readers.push(0);
      this.writers.push(0);
      this.shared.push(false);
    }
    return number;
  }

  /** The variables that are taken for shared: they decide what is a step of its own. */
  get sharedNames(): readonly string[] {
    const names = [...this.numbers.keys()].filter((name) => typeof name === "string");
    return names.filter((name) => this.shared[this.numbers.get(name)!]);
  }

  /** Who has touched which location since the beginning. */
  get owners(): readonly Owners[] {
    const all = [...this.numbers].map(([key, number]): Owners => [
      key,
      this.readers[number]!,
      this.writers[number]!,
    ]);
    return all.filter(([, readers, writers]) => (readers | writers) !== 0);
  }

  isShared(location: number): boolean {
    return this.shared[location]!;
  }

  read(location: number, owner: Owner): void {
    if ((this.readers[location]! & owner) !== 0) return;
    this.readers[location]! |= owner;
    this.share(location);
  }

  write(location: number, owner: Owner): void {
    if ((this.writers[location]! & owner) !== 0) return;
    this.writers[location]! |= owner;
    this.share(location);
  }

  private share(location: number): void {
    if (this.shared[location]!) return;
    if (isShared(this.readers[location]!, this.writers[location]!)) this.grew = true;
  }
}

/** Several touch it, and one of them writes. */
export function isShared(readers: Owner, writers: Owner): boolean {
  const all = readers | writers;
  return writers !== 0 && (all & (all - 1)) !== 0;
}
