// One part of an exploration, as a thread is given it and answers. What comes out depends on the
// part alone, not on what the thread has explored before.

import type { LocationKey, Locations, Owners } from "../execution/locations.ts";
import type { LeftNode, PathNode } from "./node.ts";
import { type Covered, type Limits, Search, type Step } from "./search.ts";
import type { System } from "./system.ts";

export interface Part {
  /** Counts the parts of a pass, in the order in which they are made. */
  readonly index: number;
  /** What is taken for shared. */
  readonly shared: readonly LocationKey[];
  readonly path: readonly PathNode[];
  /** Ends after so many executions. */
  readonly executions: number;
}

/** A schedule at whose end a check failed. */
export interface Failing {
  readonly schedule: readonly Step[];
  /** Its last step and those that happen before it: others need not be there. */
  readonly needed: number;
}

/** Executions after one that fails, in search of one that fails earlier. */
const FURTHER = 500;

/** Failing schedules that are kept besides the first, to be made shorter still. */
const KEPT = 4;

/** The first, and those of the others that need the fewest steps; of equals the earlier. */
export const shortestOf = ([first, ...others]: readonly Failing[]): readonly Failing[] =>
  first === undefined
    ? []
    : [first, ...others.toSorted((a, b) => a.needed - b.needed).slice(0, KEPT)];

export interface PartResult extends Covered {
  /** By node of the path: masks of processes of which one each is to be explored from there. */
  readonly asked: readonly (readonly number[])[];
  readonly left: readonly LeftNode[];
  readonly failing: readonly Failing[];
  /** Executions until the first of them. */
  readonly foundAfter: number | null;
  /** Who has touched what, apart from what is taken for shared. */
  readonly owners: readonly Owners[];
}

/** @param isEnough - asked after each execution, whether to end here */
export function explorePart(
  system: System,
  locations: Locations,
  { shared, path, executions }: Part,
  limits: Limits,
  isEnough: () => boolean = () => false,
): PartResult {
  locations.begin(shared);
  let failing: readonly Failing[] = [];
  let foundAfter: number | null = null;
  let ended = 0;
  const listener = {
    failed(schedule: readonly Step[], needed: number): void {
      failing = shortestOf([...failing, { schedule, needed }]);
      foundAfter ??= ended + 1;
    },
    ended(): boolean {
      ended++;
      if (isEnough()) return false;
      return foundAfter === null ? !locations.grew : ended < foundAfter + FURTHER;
    },
  };
  const search = new Search(system, limits, listener, path);
  search.run(executions);
  const known = new Set(shared);
  const owners = locations.owners.filter(([key]) => !known.has(key));
  return { ...search.covered, asked: search.asked, left: search.left, failing, foundAfter, owners };
}
