// Small programs of a few operations on each CPU, run by the explorer with a kernel around them
// that does nothing.

import { Cell } from "../../src/kernel/operation/cell.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import {
  count,
  disableInterrupts,
  enableInterrupts,
  fence,
  type KernelCode,
  load,
  locked,
  sendIpi,
  store,
  waitUntil,
} from "../../src/kernel/operation/operation.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { MemoryModel } from "../../src/explore/execution/execution.ts";
import { ScenarioSystem } from "../../src/explore/execution/scenario-system.ts";
import type { Scenario } from "../../src/explore/scenarios/scenario.ts";

export type Op =
  /** Writes a value. */
  | readonly ["W", string, number]
  /** Reads. */
  | readonly ["R", string]
  | readonly ["fence"]
  /** Exchanges. */
  | readonly ["X", string, number]
  /** Counts one more, and does not look. */
  | readonly ["C", string]
  /** Waits until a cell is not 0. */
  | readonly ["wait", string]
  /** Waits until so many have been counted. */
  | readonly ["await", string, number]
  | readonly ["cli"]
  | readonly ["sti"]
  /** Interrupts another CPU, whose handler does nothing. */
  | readonly ["ipi", number];

/** By CPU. */
export type Program = readonly (readonly Op[])[];

/** An exploration of the program; `seen` gets by CPU what it read, in each execution anew. */
export function explorationOf(
  program: Program,
  memory: MemoryModel,
  seen: number[][] = program.map(() => []),
): ScenarioSystem {
  const cells = new Map<string, Cell<number>>();
  const cell = (name: string): Cell<number> => {
    if (!cells.has(name)) cells.set(name, new Cell(name, { index: -1 }, 0));
    return cells.get(name)!;
  };
  const scenario: Scenario = {
    name: "program",
    summary: "a program of a test",
    cpus: program.length,
    prepare: (stage) =>
      program.map(
        (operations, id) =>
          function* (): KernelCode {
            seen[id]!.length = 0;
            for (const operation of operations) yield* carryOut(operation, cell, seen[id]!);
            yield* stage.rest();
          },
      ),
  };
  const kernel = { policy: lazyPolicies.refcounted, protocol: linux513 };
  return new ScenarioSystem(scenario, { ...kernel, memory });
}

function* carryOut(
  operation: Op,
  cell: (name: string) => Cell<number>,
  seen: number[],
): KernelCode {
  switch (operation[0]) {
    case "W":
      return yield* store(cell(operation[1]), operation[2]);
    case "R":
      seen.push(yield* load(cell(operation[1])));
      return;
    case "X": {
      const [, name, value] = operation;
      seen.push(yield* locked(cell(name), () => value));
      return;
    }
    case "C":
      return void (yield* count(cell(operation[1]), (value) => value + 1));
    case "fence":
      return yield* fence();
    case "wait":
      seen.push(yield* waitUntil(cell(operation[1]), (value) => value !== 0));
      return;
    case "await":
      seen.push(yield* waitUntil(cell(operation[1]), (value) => value === operation[2]));
      return;
    case "cli":
      return yield* disableInterrupts();
    case "sti":
      return yield* enableInterrupts();
    case "ipi":
      return yield* sendIpi([operation[1]], 0x30);
  }
}
