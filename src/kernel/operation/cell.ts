// Shared kernel variables. A cell is one variable; cells of one line move between caches together.

/** Something that can be freed while pointers to it remain. */
export interface Lifetime {
  readonly name: string;
  /** Set at the free; every later access through a cell of it is a use after free. */
  freed: boolean;
}

/** One 64-byte line of kernel memory as the machine's coherence knows it. */
export interface Line {
  readonly index: number;
}

/** Code that is parked until a cell changes: an Activation. */
export interface Watcher {
  readonly activity: string;
  /** On which CPU. */
  readonly cpu: number;
  readonly until: ((value: never) => boolean) | null;
  /** When the cell changed: the condition is looked at again then. */
  wakeCycle: number;
}

/** A shared variable. Kernel code reads and writes it only through operations. */
export class Cell<T = unknown> {
  /** Code parked until this cell changes; kept by the executor. */
  readonly watchers: Watcher[] = [];
  /** A number that the executor knows it by; -1: none yet. */
  location = -1;

  constructor(
    readonly name: string,
    readonly line: Line,
    public value: T,
    /** The structure that this variable is part of, where it can be freed. */
    readonly owner: Lifetime | null = null,
    /** mm_users and mm_count: locked operations on them are counted. */
    readonly isRefcount: boolean = false,
  ) {}
}
