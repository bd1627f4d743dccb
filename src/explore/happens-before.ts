// The happens-before relation of the steps of one execution, by vector clocks: which steps race,
// and what could have run in their place.

import type { Footprint } from "./system.ts";

interface Event extends Footprint {
  readonly process: number;
  /** Steps of the same process up to and including this one. */
  readonly count: number;
  /** By process: how many of its steps happen before this one, itself included. */
  readonly clock: readonly number[];
  /** Steps that conflict with this one, with nothing between them. */
  readonly races: readonly number[];
}

interface Access {
  readonly event: number;
  readonly kind: "read" | "write" | "follow";
  /** Of a write: what was there before. */
  readonly overwritten: unknown;
}

/** What comes before a step: see Happens.before. */
interface Before {
  racing: number[];
  readonly leading: number[];
}

export class Happens {
  private readonly events: Event[] = [];
  /** By location, in order. */
  private readonly accesses: Access[][] = [];
  /** By process: its steps, in order. */
  private readonly steps: number[][];

  constructor(private readonly processCount: number) {
    this.steps = Array.from({ length: processCount }, () => []);
  }

  get last(): Footprint {
    return this.events.at(-1)!;
  }

  /** The last step and those that happen before it. */
  get leading(): number {
    return this.events.at(-1)!.clock.reduce((sum, count) => sum + count, 0);
  }

  add(process: number, footprint: Footprint, cause: number): void {
    const index = this.events.length;
    const own = this.steps[process]!;
    const clock = own.length === 0 ? this.zero() : [...this.events[own.at(-1)!]!.clock];
    if (cause >= 0) this.join(clock, cause);
    const before = this.before(process, footprint, clock);
    for (const event of before.racing) this.join(clock, event);
    for (const event of before.leading) this.join(clock, event);
    own.push(index);
    clock[process] = own.length;
    this.events.push({
      ...copyOf(footprint),
      process,
      count: own.length,
      clock,
      races: before.racing,
    });
    this.enter(index, footprint);
  }

  private enter(event: number, { reads, writes, follows, overwritten }: Footprint): void {
    for (const location of reads) this.access(location, { event, kind: "read", overwritten: null });
    for (let at = 0; at < writes.length; at++) {
      this.access(writes[at]!, { event, kind: "write", overwritten: overwritten[at] });
    }
    for (const location of follows) {
      this.access(location, { event, kind: "follow", overwritten: null });
    }
  }

  /** Takes the last step back. */
  pop(): void {
    const event = this.events.pop();
    if (event === undefined) return;
    this.steps[event.process]!.pop();
    for (const location of event.reads) this.accesses[location]!.pop();
    for (const location of event.writes) this.accesses[location]!.pop();
    for (const location of event.follows) this.accesses[location]!.pop();
  }

  /** Earlier steps that could have come after step `index` instead. */
  races(index: number): readonly number[] {
    return this.events[index]!.races;
  }

  /**
   * The processes with which the steps that do not depend on `race`, and step `index` after them,
   * can begin: bit by process.
   */
  initials(race: number, index: number): number {
    const { process: raced, count } = this.events[race]!;
    const first: number[] = this.zero();
    let initials = 0;
    for (let at = race + 1; at <= index; at++) {
      const { process, clock, count: own } = this.events[at]!;
      if (at !== index && clock[raced]! >= count) continue;
      if (first[process]! === 0) {
        if (!this.followsAny(clock, first, process)) initials |= 1 << process;
        first[process] = own;
      }
    }
    return initials;
  }

  /** Whether a step with this clock follows a step, from `first` on, of a process but its own. */
  private followsAny(clock: readonly number[], first: readonly number[], process: number): boolean {
    for (let other = 0; other < this.processCount; other++) {
      if (other === process || first[other]! === 0) continue;
      if (clock[other]! >= first[other]!) return true;
    }
    return false;
  }

  /**
   * The latest steps that conflict with a step of this footprint, whose process knows `clock`:
   * those that could have come after it instead, and those that had to come before.
   */
  private before(process: number, footprint: Footprint, clock: readonly number[]): Before {
    const found: Before = { racing: [], leading: [] };
    const { reads, writes, follows, condition } = footprint;
    for (let at = 0; at < reads.length; at++) {
      const isPossible = at === 0 ? condition : null;
      this.collect(reads[at]!, "read", isPossible, { process, clock, found });
    }
    for (const location of writes) this.collect(location, "write", null, { process, clock, found });
    for (const location of follows) {
      this.collect(location, "follow", null, { process, clock, found });
    }
    if (found.racing.length > 1) found.racing = this.latest(found.racing);
    return found;
  }

  /** Those that do not happen before another of them, each once. */
  private latest(events: readonly number[]): number[] {
    return events.filter(
      (event, at) =>
        events.indexOf(event) === at &&
        !events.some((later) => later > event && this.precedes(event, later)),
    );
  }

  private collect(
    location: number,
    kind: Access["kind"],
    isPossible: ((value: unknown) => boolean) | null,
    { process, clock, found }: { process: number; clock: readonly number[]; found: Before },
  ): void {
    const accesses = this.accesses[location];
    if (accesses === undefined) return;
    for (let at = accesses.length - 1; at >= 0; at--) {
      const access = accesses[at]!;
      if (access.kind === "read" && kind !== "write") continue;
      const event = this.events[access.event]!;
      if (event.process === process || clock[event.process]! >= event.count) {
        if (access.kind === "read") continue;
        return;
      }
      const isLeading =
        kind === "follow" ||
        access.kind === "follow" ||
        (isPossible !== null && !isPossible(access.overwritten));
      (isLeading ? found.leading : found.racing).push(access.event);
      // Beyond a step that had to come first, one may be that need not have.
      if (access.kind === "write" && !isLeading) return;
    }
  }

  private precedes(earlier: number, later: number): boolean {
    const { process, count } = this.events[earlier]!;
    return this.events[later]!.clock[process]! >= count;
  }

  private join(clock: number[], event: number): void {
    const other = this.events[event]!.clock;
    for (let process = 0; process < clock.length; process++) {
      if (other[process]! > clock[process]!) clock[process] = other[process]!;
    }
  }

  private access(location: number, access: Access): void {
    (this.accesses[location] ??= []).push(access);
  }

  private zero(): number[] {
    return Array.from({ length: this.processCount }, () => 0);
  }
}

const copyOf = ({ reads, writes, follows, condition, overwritten }: Footprint): Footprint => ({
  reads: [...reads],
  writes: [...writes],
  follows: [...follows],
  condition,
  overwritten: [...overwritten],
});
