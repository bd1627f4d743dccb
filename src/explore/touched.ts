// What the step in progress reads and writes, and on whose behalf.

import type { CpuState } from "./cpu-state.ts";
import type { Locations, Owner } from "./locations.ts";
import type { Footprint } from "./system.ts";

export class Touched implements Footprint {
  readonly reads: number[] = [];
  readonly writes: number[] = [];
  readonly follows: number[] = [];
  readonly overwritten: unknown[] = [];
  condition: ((value: unknown) => boolean) | null = null;
  /** The earlier step that made this one possible; -1: none in particular. */
  cause = -1;
  private owner: Owner = 0;

  constructor(private readonly locations: Locations) {}

  begin(state: CpuState): void {
    this.reads.length = 0;
    this.writes.length = 0;
    this.follows.length = 0;
    this.overwritten.length = 0;
    this.condition = null;
    this.cause = -1;
    this.act(state);
  }

  /** From now on in the name of what runs on the CPU. */
  act(state: CpuState): void {
    this.owner = 1 << (2 * state.cpu.id + (state.isInInterrupt ? 1 : 0));
  }

  read(location: number): void {
    this.locations.read(location, this.owner);
    this.reads.push(location);
  }

  write(location: number, overwritten: unknown = undefined): void {
    this.locations.write(location, this.owner);
    this.writes.push(location);
    this.overwritten.push(overwritten);
  }

  /** The step could not have come before what was last at the location. */
  follow(location: number): void {
    this.follows.push(location);
  }

  /** Reads a location, whose value had to fulfil `condition`. First of all reads of the step. */
  readIf(location: number, condition: (value: unknown) => boolean): void {
    this.condition = condition;
    this.read(location);
  }
}
