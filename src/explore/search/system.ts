// What can be explored: a system that starts the same way again and again, whose processes take
// steps. The search decides who is next; the system says who can be, and what a step touched.

/** What one step read and wrote, by location: see conflict. */
export interface Footprint {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Updated in a way that commutes with the others here, and with nothing else. */
  readonly counts: readonly number[];
  /**
   * Where the step comes after what was there before because it could not have come earlier: such
   * steps follow one another, but do not race.
   */
  readonly follows: readonly number[];
  /** What the first of `reads` had to be for the step to be possible. */
  readonly condition: ((value: unknown) => boolean) | null;
  /** By index in `writes`: what was there before. */
  readonly overwritten: readonly unknown[];
  /** By index in `counts`: what was there before. */
  readonly counted: readonly unknown[];
}

export interface System {
  /** Processes are 0 to processCount - 1; at most 31. */
  readonly processCount: number;
  /** Whether a check has failed since the start. */
  readonly failed: boolean;
  /** Of the last step. */
  readonly footprint: Footprint;
  /** The earlier step, counted from 0, without which the last one could not have been; or -1. */
  readonly cause: number;
  /** Goes back to the start. */
  restart(): void;
  /** The processes that can take a step, one bit each. */
  enabled(): number;
  /** Lets a process take its next step. */
  step(process: number, choices: Choices): void;
  /** The same for a step that was taken before, with the same choices: its footprint is known. */
  repeat(process: number, choices: Choices): void;
  /** Processes whose next step cannot be taken, and what it would touch. */
  blocked(): readonly { readonly process: number; readonly footprint: Footprint }[];
  /** No process can take a step: looks whether it may end like this. */
  finish(): void;
}

const NO_CHOICES: readonly number[] = [];

/** The decisions inside one step that are not the schedule's: which translation is cached, say. */
export class Choices {
  readonly taken: number[] = [];
  private readonly counts: number[] = [];
  private position = 0;

  constructor(taken: readonly number[] = []) {
    this.taken.push(...taken);
  }

  /** One of `count` ways, 0 when nobody has said otherwise. */
  choose(count: number): number {
    const position = this.position++;
    this.counts[position] = count;
    return (this.taken[position] ??= 0);
  }

  /** The decisions that the step has asked for. */
  get made(): readonly number[] {
    return this.position === 0 ? NO_CHOICES : this.taken.slice(0, this.position);
  }

  /** Begins the step anew with the same decisions. */
  rewind(): void {
    this.position = 0;
  }

  /** Goes on to the next way of taking the step; false: that was the last. */
  next(): boolean {
    if (this.taken.length > this.position) this.taken.length = this.position;
    while (this.taken.length > 0) {
      const last = this.taken.length - 1;
      if (this.taken[last]! + 1 < this.counts[last]!) {
        this.taken[last]!++;
        this.rewind();
        return true;
      }
      this.taken.pop();
    }
    return false;
  }
}

/** Whether the order of two steps with these footprints can matter. */
export const conflict = (a: Footprint, b: Footprint): boolean =>
  meet(a.writes, b.writes) ||
  meet(a.writes, b.reads) ||
  meet(a.reads, b.writes) ||
  meet(a.counts, b.reads) ||
  meet(a.reads, b.counts) ||
  meet(a.counts, b.writes) ||
  meet(a.writes, b.counts) ||
  meet(a.follows, b.follows) ||
  meet(a.follows, b.writes) ||
  meet(a.writes, b.follows);

/** What either touches, for conflicts. */
export const union = (a: Footprint = NOTHING, b: Footprint): Footprint => ({
  reads: [...a.reads, ...b.reads],
  writes: [...a.writes, ...b.writes],
  counts: [...a.counts, ...b.counts],
  follows: [...a.follows, ...b.follows],
  condition: null,
  overwritten: [],
  counted: [],
});

export const NOTHING: Footprint = {
  reads: [],
  writes: [],
  counts: [],
  follows: [],
  condition: null,
  overwritten: [],
  counted: [],
};

function meet(a: readonly number[], b: readonly number[]): boolean {
  for (let index = 0; index < a.length; index++) if (b.includes(a[index]!)) return true;
  return false;
}
