// What the step in progress reads and writes, and on whose behalf. A step that is taken again on
// the way to a new one is known already, and not written down.

import { empty } from "../../base/empty.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Locations, Owner } from "./locations.ts";
import type { Footprint } from "../search/system.ts";

export class Touched implements Footprint {
  readonly reads: number[] = [];
  readonly writes: number[] = [];
  readonly counts: number[] = [];
  readonly follows: number[] = [];
  readonly overwritten: unknown[] = [];
  readonly counted: unknown[] = [];
  condition: ((value: unknown) => boolean) | null = null;
  /** The earlier step that made this one possible; -1: none in particular. */
  cause = -1;
  private owner: Owner = 0;
  /** The step is a new one. */
  isRecording = true;
  /** Counts the steps written down. */
  private stamp = 0;
  // By location: the last step that touched it so. What a step does twice is written down once.
  private readonly readAt: number[] = [];
  private readonly writtenAt: number[] = [];
  private readonly countedAt: number[] = [];
  private readonly followedAt: number[] = [];

  constructor(private readonly locations: Locations) {}

  begin(state: CpuState): void {
    this.isRecording = true;
    this.stamp++;
    empty(this.reads);
    empty(this.writes);
    empty(this.counts);
    empty(this.follows);
    empty(this.overwritten);
    empty(this.counted);
    this.condition = null;
    this.cause = -1;
    this.act(state);
  }

  /** A step that is taken again begins. */
  beginAgain(): void {
    this.isRecording = false;
  }

  /** From now on in the name of what runs on the CPU. */
  act(state: CpuState): void {
    if (!this.isRecording) return;
    this.owner = 1 << (2 * state.cpu.id + (state.isInInterrupt ? 1 : 0));
  }

  read(location: number): void {
    if (!this.isRecording) return;
    this.locations.read(location, this.owner);
    if (this.readAt[location] === this.stamp) return;
    this.readAt[location] = this.stamp;
    this.reads.push(location);
  }

  /** @param overwritten - What was there before. */
  write(location: number, overwritten: unknown = undefined): void {
    if (!this.isRecording) return;
    this.locations.write(location, this.owner);
    if (this.writtenAt[location] === this.stamp) return;
    this.writtenAt[location] = this.stamp;
    this.writes.push(location);
    this.overwritten.push(overwritten);
  }

  /** A write that commutes with the others that are told here. @param counted - As overwritten. */
  count(location: number, counted: unknown = undefined): void {
    if (!this.isRecording) return;
    this.locations.write(location, this.owner);
    if (this.countedAt[location] === this.stamp) return;
    this.countedAt[location] = this.stamp;
    this.counts.push(location);
    this.counted.push(counted);
  }

  /** The step could not have come before what was last at the location. */
  follow(location: number): void {
    if (!this.isRecording || this.followedAt[location] === this.stamp) return;
    this.followedAt[location] = this.stamp;
    this.follows.push(location);
  }

  /** Reads a location, whose value had to fulfil `condition`. First of all reads of the step. */
  readIf(location: number, condition: (value: unknown) => boolean): void {
    this.condition = condition;
    this.read(location);
  }
}
