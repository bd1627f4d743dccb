// The happens-before relation of the steps of one execution, by vector clocks: which steps race,
// and what could have run in their place. Steps are added and taken back all the time, so what is
// kept of them stands in arrays by step, and nothing but footprints is made anew for each.

import { empty } from "../../base/empty.ts";
import type { Footprint } from "./system.ts";

/** What a step did at a location, in the low bits of an access; the step's index is above. */
const READ = 0;
const WRITE = 1;
const FOLLOW = 2;
const COUNT = 3;
type AccessKind = typeof READ | typeof WRITE | typeof FOLLOW | typeof COUNT;
const KIND_BITS = 2;
const KIND_MASK = 3;

type Condition = (value: unknown) => boolean;

/** Whether steps of these kinds at a location do the same in either order. */
const commute = (earlier: AccessKind, later: AccessKind): boolean =>
  earlier === READ ? later === READ || later === FOLLOW : earlier === COUNT && later === COUNT;

/** Who was at a location, in order. */
class Trail {
  readonly accesses: number[] = [];
  /** Of a write or a count: what was there before. */
  readonly overwritten: unknown[] = [];

  add(access: number, overwritten: unknown): void {
    this.accesses.push(access);
    this.overwritten.push(overwritten);
  }

  pop(): void {
    this.accesses.pop();
    this.overwritten.pop();
  }
}

const NONE: readonly number[] = [];

export class Happens {
  private length = 0;
  private readonly footprints: Footprint[] = [];
  private readonly processes: number[] = [];
  /** Steps of the same process up to and including this one. */
  private readonly counts: number[] = [];
  /** By step and process: how many of its steps happen before this one, itself included. */
  private clocks: Int32Array;
  /** Earlier steps that conflict with this one, with nothing between them. */
  private readonly racing: (readonly number[])[] = [];
  /** By location. */
  private readonly trails: Trail[] = [];
  /** By process: its steps, in order. */
  private readonly steps: number[][];
  // Of the step that is being added: those that could have come after it, those that could not.
  private readonly found: number[] = [];
  private readonly forced: number[] = [];
  /** Counts before a wait: it could have come earlier, in one of their orders. */
  private readonly counted: number[] = [];
  private readonly first: Int32Array;

  constructor(private readonly processCount: number) {
    this.steps = Array.from({ length: processCount }, () => []);
    this.clocks = new Int32Array(processCount * 128);
    this.first = new Int32Array(processCount);
  }

  get last(): Footprint {
    return this.footprints[this.length - 1]!;
  }

  /** The last step and those that happen before it. */
  get leading(): number {
    const start = (this.length - 1) * this.processCount;
    let count = 0;
    for (let process = 0; process < this.processCount; process++) {
      count += this.clocks[start + process]!;
    }
    return count;
  }

  add(process: number, footprint: Footprint, cause: number): void {
    const index = this.length++;
    const own = this.steps[process]!;
    this.startClock(index, own);
    if (cause >= 0) this.join(index, cause);
    this.collectAll(index, process, footprint);
    this.racing[index] = this.found.length === 0 ? NONE : this.latest(this.found);
    if (this.counted.length > 0) {
      this.racing[index] = [...new Set([...this.racing[index], ...this.counted])];
    }
    for (const event of this.found) this.join(index, event);
    for (const event of this.forced) this.join(index, event);
    for (const event of this.counted) this.join(index, event);
    own.push(index);
    this.clocks[index * this.processCount + process] = own.length;
    this.processes[index] = process;
    this.counts[index] = own.length;
    this.footprints[index] = copyOf(footprint);
    this.enter(index, footprint);
  }

  /** Takes the last step back. */
  pop(): void {
    if (this.length === 0) return;
    const index = --this.length;
    const { reads, writes, counts, follows } = this.footprints[index]!;
    this.steps[this.processes[index]!]!.pop();
    for (let at = 0; at < reads.length; at++) this.trails[reads[at]!]!.pop();
    for (let at = 0; at < writes.length; at++) this.trails[writes[at]!]!.pop();
    for (let at = 0; at < counts.length; at++) this.trails[counts[at]!]!.pop();
    for (let at = 0; at < follows.length; at++) this.trails[follows[at]!]!.pop();
  }

  /** Earlier steps that could have come after step `index` instead. */
  races(index: number): readonly number[] {
    return this.racing[index]!;
  }

  /**
   * The processes with which the steps that do not depend on `race`, and step `index` after them,
   * can begin: bit by process.
   */
  initials(race: number, index: number): number {
    const { first, processes, counts, clocks, processCount } = this;
    const raced = processes[race]!;
    const count = counts[race]!;
    first.fill(0);
    let initials = 0;
    for (let at = race + 1; at <= index; at++) {
      const clock = at * processCount;
      if (at !== index && clocks[clock + raced]! >= count) continue;
      const process = processes[at]!;
      if (first[process]! !== 0) continue;
      if (!this.followsAny(clock, process)) initials |= 1 << process;
      first[process] = counts[at]!;
    }
    return initials;
  }

  /** Whether a step with this clock follows a step, from `first` on, of a process but its own. */
  private followsAny(clock: number, process: number): boolean {
    const { first, clocks } = this;
    for (let other = 0; other < this.processCount; other++) {
      if (other === process || first[other]! === 0) continue;
      if (clocks[clock + other]! >= first[other]!) return true;
    }
    return false;
  }

  /** A step knows what the one before it of the same process knew. */
  private startClock(index: number, own: readonly number[]): void {
    const { processCount } = this;
    const start = index * processCount;
    if (start + processCount > this.clocks.length) {
      const longer = new Int32Array(2 * this.clocks.length);
      longer.set(this.clocks);
      this.clocks = longer;
    }
    const before = own[own.length - 1];
    if (before === undefined) this.clocks.fill(0, start, start + processCount);
    else this.clocks.copyWithin(start, before * processCount, (before + 1) * processCount);
  }

  /** Finds the latest steps that conflict with step `index`, as far as its clock does not say. */
  private collectAll(index: number, process: number, footprint: Footprint): void {
    const { reads, writes, counts, follows, condition } = footprint;
    empty(this.found);
    empty(this.forced);
    empty(this.counted);
    for (let at = 0; at < reads.length; at++) {
      this.collect(
        index,
        process,
        { location: reads[at]!, kind: READ },
        at === 0 ? condition : null,
      );
    }
    for (let at = 0; at < writes.length; at++) {
      this.collect(index, process, { location: writes[at]!, kind: WRITE }, null);
    }
    for (let at = 0; at < counts.length; at++) {
      this.collect(index, process, { location: counts[at]!, kind: COUNT }, null);
    }
    for (let at = 0; at < follows.length; at++) {
      this.collect(index, process, { location: follows[at]!, kind: FOLLOW }, null);
    }
  }

  private collect(
    index: number,
    process: number,
    { location, kind }: { readonly location: number; readonly kind: AccessKind },
    isPossible: Condition | null,
  ): void {
    const trail = this.trails[location];
    if (trail === undefined) return;
    const { accesses } = trail;
    const clock = index * this.processCount;
    for (let at = accesses.length - 1; at >= 0; at--) {
      const earlier = (accesses[at]! & KIND_MASK) as AccessKind;
      if (commute(earlier, kind)) continue;
      const event = accesses[at]! >> KIND_BITS;
      const other = this.processes[event]!;
      if (other === process || this.clocks[clock + other]! >= this.counts[event]!) {
        // One that is like it may be there before it, and not be known.
        if (earlier === READ || earlier === COUNT) continue;
        return;
      }
      if (earlier === COUNT && isPossible !== null) {
        this.counted.push(event);
        continue;
      }
      const isLeading =
        kind === FOLLOW ||
        earlier === FOLLOW ||
        (isPossible !== null && !isPossible(trail.overwritten[at]));
      (isLeading ? this.forced : this.found).push(event);
      // Beyond a step that had to come first, one may be that need not have.
      if (earlier === WRITE && !isLeading) return;
    }
  }

  /** Those that do not happen before another of them, each once. */
  private latest(events: readonly number[]): readonly number[] {
    if (events.length === 1) return [events[0]!];
    return events.filter(
      (event, at) =>
        events.indexOf(event) === at &&
        !events.some((later) => later > event && this.precedes(event, later)),
    );
  }

  private precedes(earlier: number, later: number): boolean {
    const process = this.processes[earlier]!;
    return this.clocks[later * this.processCount + process]! >= this.counts[earlier]!;
  }

  private join(index: number, event: number): void {
    const { clocks, processCount } = this;
    const own = index * processCount;
    const other = event * processCount;
    for (let process = 0; process < processCount; process++) {
      const known = clocks[other + process]!;
      if (known > clocks[own + process]!) clocks[own + process] = known;
    }
  }

  private enter(index: number, footprint: Footprint): void {
    const { reads, writes, counts, follows, overwritten, counted } = footprint;
    const event = index << KIND_BITS;
    for (let at = 0; at < reads.length; at++) this.trailOf(reads[at]!).add(event | READ, null);
    for (let at = 0; at < writes.length; at++) {
      this.trailOf(writes[at]!).add(event | WRITE, overwritten[at]);
    }
    for (let at = 0; at < counts.length; at++) {
      this.trailOf(counts[at]!).add(event | COUNT, counted[at]);
    }
    for (let at = 0; at < follows.length; at++) {
      this.trailOf(follows[at]!).add(event | FOLLOW, null);
    }
  }

  private trailOf(location: number): Trail {
    return (this.trails[location] ??= new Trail());
  }
}

const copyOf = (footprint: Footprint): Footprint => ({
  reads: footprint.reads.slice(),
  writes: footprint.writes.slice(),
  counts: footprint.counts.slice(),
  follows: footprint.follows.slice(),
  condition: footprint.condition,
  overwritten: footprint.overwritten.slice(),
  counted: footprint.counted.slice(),
});
