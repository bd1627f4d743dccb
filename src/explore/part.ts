// One part of an exploration, as a thread is given it and answers. What comes out depends on the
// part alone, not on what the thread has explored before.

import type { LocationKey, Locations, Owners } from "./locations.ts";
import type { LeftNode, PathNode } from "./node.ts";
import { type Covered, type Limits, Search, type Step } from "./search.ts";
import type { System } from "./system.ts";

export interface Part {
  /** What is taken for shared. */
  readonly shared: readonly LocationKey[];
  readonly path: readonly PathNode[];
  /** Ends after so many executions. */
  readonly executions: number;
}

export interface PartResult extends Covered {
  /** By node of the path: masks of processes of which one each is to be explored from there. */
  readonly asked: readonly (readonly number[])[];
  readonly left: readonly LeftNode[];
  readonly failing: readonly Step[] | null;
  /** Who has touched what, apart from what is taken for shared. */
  readonly owners: readonly Owners[];
}

export function explorePart(
  system: System,
  locations: Locations,
  { shared, path, executions }: Part,
  limits: Limits,
  onEnd: () => void = () => {},
): PartResult {
  locations.begin(shared);
  let failing: readonly Step[] | null = null;
  const listener = {
    failed(schedule: readonly Step[]): void {
      failing ??= schedule;
    },
    ended(): boolean {
      onEnd();
      return !locations.grew && failing === null;
    },
  };
  const search = new Search(system, limits, listener, path);
  search.run(executions);
  const known = new Set(shared);
  const owners = locations.owners.filter(([key]) => !known.has(key));
  return { ...search.covered, asked: search.asked, left: search.left, failing, owners };
}
