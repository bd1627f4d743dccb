// Every execution starts from the same state: whatever the kernel, the machine and the checkers
// hold is back after a restart, down to the last variable.

import { expect, test } from "vitest";
import { ScenarioSystem } from "../../../src/explore/execution/scenario-system.ts";
import { subjectOf } from "../../../src/explore/explore-job.ts";
import { planJobs } from "../../../src/explore/explore-plan.ts";
import { scenarioNamed } from "../../../src/explore/scenarios/scenarios.ts";
import { Choices } from "../../../src/explore/search/system.ts";

/** Everything reachable from `root` as text, objects numbered as they are met. */
function describeState(root: unknown): string {
  const numbers = new Map<object, number>();
  const lines: string[] = [];
  const visit = (value: unknown): string => {
    if (typeof value === "function") return "function";
    if (typeof value !== "object" || value === null) return String(value);
    const known = numbers.get(value);
    if (known !== undefined) return `#${known}`;
    const number = numbers.size;
    numbers.set(value, number);
    lines.push(`#${number} ${value.constructor?.name ?? "?"} ${contents(value)}`);
    return `#${number}`;
  };
  const contents = (value: object): string => {
    if (ArrayBuffer.isView(value) || OPAQUE.has(value.constructor?.name ?? "")) return "";
    if (value instanceof Map) return [...value].flat().map(visit).join(" ");
    if (value instanceof Set) return [...value].map(visit).join(" ");
    return Object.entries(value)
      .filter(([key]) => !PASSING.has(key))
      .map(([key, inner]) => `${key}=${visit(inner)}`)
      .join(" ");
  };
  visit(root);
  return lines.join("\n");
}

/** Not the kernel's: the machine is compared by its memory, the rest only looks on. */
const OPAQUE = new Set(["Machine", "PageTables", "Locations", "Touched", "History", "Choices"]);
/** Written before they are read in every execution, or made once and free from then on (slots). */
const PASSING = new Set(["location", "run", "code", "saved", "slots"]);

test("a restart brings everything back", async () => {
  for (const job of (await planJobs({ memory: "tso" })).jobs) {
    const system = new ScenarioSystem(scenarioNamed(job.name), subjectOf(job));
    const { executor } = system;
    const state = (): string => describeState([executor.kernel, executor.states, executor.watch]);
    system.restart();
    const [before, memory] = [state(), executor.kernel.machine.snapshot()];
    for (const order of [1, -1]) {
      for (let enabled = system.enabled(); enabled !== 0; enabled = system.enabled()) {
        const lowest = 31 - Math.clz32(enabled & -enabled);
        system.step(order > 0 ? lowest : 31 - Math.clz32(enabled), new Choices());
      }
      expect(state()).not.toBe(before);
      system.restart();
      expect(state(), job.name).toBe(before);
      const restored = executor.kernel.machine.snapshot();
      expect(Buffer.compare(restored.bytes, memory.bytes), job.name).toBe(0);
    }
  }
});
