// What steps can meet in, as numbers: cells, page-table entries, and the state of each CPU. Also
// who has touched which: what only one kernel stack touches needs no step of its own.

import type { FrameNumber, PageNumber } from "../base/address.ts";
import type { Cell } from "../kernel/cell.ts";

/** Kernel code that runs in one order: a CPU's tasks are one, its interrupt handlers another. */
export type Owner = number;

/** More than any user page number. */
const SPAN = 2 ** 36;

export class Locations {
  private readonly numbers = new Map<string | number, number>();
  private readonly readers: Owner[] = [];
  private readonly writers: Owner[] = [];
  private readonly shared: boolean[] = [];
  /** A location that was taken for private has been shared since `agree`. */
  grew = false;

  /** What is touched from now on by several owners is shared. */
  agree(): void {
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

  /** The tables below a root: which there are, not what the leaf entries hold. */
  ofTables(root: FrameNumber): number {
    return this.named(root * SPAN + SPAN - 1);
  }

  /** Cells are known by name: one made anew in each execution is the same in all of them. */
  named(name: string | number): number {
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

  /** The variables that are known to be shared: they decide what is a step of its own. */
  get sharedNames(): readonly string[] {
    const names = [...this.numbers.keys()].filter((name) => typeof name === "string");
    return names.filter((name) => this.shared[this.numbers.get(name)!]);
  }

  /** Takes variables for shared from now on. */
  declareShared(names: readonly string[]): void {
    for (const name of names) this.shared[this.named(name)] = true;
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
    const writers = this.writers[location]!;
    const all = writers | this.readers[location]!;
    if (writers === 0 || (all & (all - 1)) === 0 || this.shared[location]!) return;
    this.shared[location] = true;
    this.grew = true;
  }
}
