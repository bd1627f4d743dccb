// Litmus programs: a few loads and stores a CPU, all outcomes known.

import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import { Cell } from "../../src/kernel/cell.ts";
import type { MemoryModel } from "../../src/explore/executor.ts";
import { Exploration } from "../../src/explore/exploration.ts";
import type { Scenario } from "../../src/explore/scenario.ts";
import { type Coverage, Search } from "../../src/explore/search.ts";
import {
  disableInterrupts,
  fence,
  type Kernel,
  load,
  locked,
  store,
} from "../../src/kernel/operation.ts";

export type Op =
  | readonly ["W", string, number]
  | readonly ["R", string]
  | readonly ["F"]
  | readonly ["X", string, number];

export interface Explored {
  readonly outcomes: readonly string[];
  readonly coverage: Coverage;
}

/** Explores the program; an outcome is what the loads saw, CPU by CPU. */
export function explore(
  program: readonly (readonly Op[])[],
  memory: MemoryModel,
  reduction: "none" | "source",
): Explored {
  const seen: number[][] = program.map(() => []);
  const cells = new Map<string, Cell<number>>();
  const cell = (name: string): Cell<number> => {
    if (!cells.has(name)) cells.set(name, new Cell(name, { index: -1 }, 0));
    return cells.get(name)!;
  };
  const scenario: Scenario = {
    name: "litmus",
    summary: "",
    cpus: program.length,
    prepare: () =>
      program.map(
        (ops, id) =>
          function* (): Kernel {
            seen[id]!.length = 0;
            for (const op of ops) {
              if (op[0] === "W") yield* store(cell(op[1]), op[2]);
              else if (op[0] === "R") seen[id]!.push(yield* load(cell(op[1])));
              else if (op[0] === "F") yield* fence();
              else yield* locked(cell(op[1]), () => op[2]);
            }
          },
      ),
  };
  const exploration = new Exploration(scenario, {
    policy: lazyPolicies.refcounted,
    protocol: linux513,
    memory,
  });
  const outcomes = new Set<string>();
  const bounds = { maxSteps: 1000, maxExecutions: Infinity, preemptionBound: Infinity };
  const listener = {
    failed: () => false,
    ended: () => {
      outcomes.add(seen.map((values) => values.join("")).join(" "));
      return true;
    },
  };
  let coverage: Coverage;
  do {
    outcomes.clear();
    exploration.executor.locations.agree();
    const search = new Search(exploration, reduction, bounds, listener);
    search.run();
    coverage = search.coverage;
  } while (exploration.executor.locations.grew);
  return { outcomes: [...outcomes].sort(), coverage };
}
void disableInterrupts;
