// A system that writes down what each CPU does and sees: executions that differ only in the order
// of steps that commute leave the same records.

import { describeOperation } from "../../src/check/describe-operation.ts";
import { cpuOf, kindOf } from "../../src/explore/execution/processes.ts";
import type { ScenarioSystem } from "../../src/explore/execution/scenario-system.ts";
import { limitsOf } from "../../src/explore/search/bounds.ts";
import { Explorer } from "../../src/explore/search/explorer.ts";
import { explorePart } from "../../src/explore/search/part.ts";
import type { Shares } from "../../src/explore/search/pass.ts";
import type { Choices, Footprint, System } from "../../src/explore/search/system.ts";

class Recorded implements System {
  private records: string[][] = [];

  constructor(private readonly exploration: ScenarioSystem) {}

  get record(): string {
    return this.records.map((record) => record.join("; ")).join("\n");
  }

  get processCount(): number {
    return this.exploration.processCount;
  }

  get failed(): boolean {
    return false;
  }

  get footprint(): Footprint {
    return this.exploration.footprint;
  }

  get cause(): number {
    return this.exploration.cause;
  }

  restart(): void {
    this.exploration.restart();
    this.records = this.exploration.executor.states.map(() => []);
  }

  enabled(): number {
    return this.exploration.enabled();
  }

  step(process: number, choices: Choices): void {
    this.write(process);
    this.exploration.step(process, choices);
  }

  repeat(process: number, choices: Choices): void {
    this.write(process);
    this.exploration.repeat(process, choices);
  }

  private write(process: number): void {
    const cpu = cpuOf(process);
    const state = this.exploration.executor.states[cpu]!;
    const kind = kindOf(process);
    const operation = state.top.pending!;
    if (kind === "step") {
      const counts = operation.kind === "locked" && operation.commutes;
      const observes = "cell" in operation && operation.kind !== "store" && !counts;
      const value = observes ? String(state.buffer.valueOf(operation.cell)) : "";
      this.records[cpu]!.push(`${describeOperation(operation)} ${value}`);
    } else if (kind === "interrupt") this.records[cpu]!.push("interrupt");
  }

  blocked(): ReturnType<System["blocked"]> {
    return this.exploration.blocked();
  }

  finish(): void {}
}

export interface Records {
  readonly records: ReadonlySet<string>;
  readonly executions: number;
  readonly parts: number;
  readonly complete: boolean;
}

/** Never split. */
const WHOLE: Shares = { first: Infinity, each: Infinity };
/** Each execution a part of its own. */
export const SMALLEST: Shares = { first: 1, each: 1 };

/** Every different record that an exploration leaves. `onEnd` is called after each execution. */
export function recordsOf(
  exploration: ScenarioSystem,
  reduction: "none" | "source",
  onEnd: () => void = () => {},
  shares = WHOLE,
): Records {
  const explorer = new Explorer({ reduction }, shares);
  const limits = limitsOf({ reduction });
  const { locations } = exploration.executor;
  const system = new Recorded(exploration);
  const records = new Set<string>();
  let parts = 0;
  let executions = 0;
  let shared: unknown;
  for (let part = explorer.next(); part !== undefined; part = explorer.next()) {
    if (shared !== part.shared) {
      records.clear();
      executions = 0;
      parts = 0;
    }
    shared = part.shared;
    const result = explorePart(system, locations, part, limits, () => {
      records.add(system.record);
      onEnd();
      return false;
    });
    parts++;
    executions += result.executions;
    explorer.accept(part, result);
  }
  return { records, executions, parts, complete: explorer.isComplete };
}
