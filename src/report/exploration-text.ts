// What explorations found: a line for each, why a violation was expected, the counterexamples.

import type { Counterexample } from "../explore/counterexample.ts";
import {
  isAsExpected,
  type ExploreResult,
  type ScenarioResult,
} from "../explore/scenario-result.ts";
import { FILE_EXECUTIONS } from "../explore/explore-job.ts";
import type { Paint } from "./paint.ts";
import { formatSchedule } from "./schedule-table.ts";

const HEAD = [
  "scenario",
  "policy",
  "protocol",
  "mutation",
  "memory",
  "executions",
  "depth",
  "verdict",
];

/** What ended an exploration before everything was covered, and what to do about it. */
const BOUNDS: Readonly<Record<NonNullable<ScenarioResult["cutBy"]>, string>> = {
  executions:
    "--max-executions was reached, for a scenario from a file " +
    `${FILE_EXECUTIONS} unless given; give more, or a smaller scenario`,
  time: "--time was over; give more, or a smaller scenario",
  steps: "executions were longer than --max-steps; give more, or end what the scenario repeats",
  interrupt: "a signal ended it",
};

export interface Layout {
  readonly paint: Paint;
  readonly columns: number;
}

/** The counterexample is printed of all when there are few, else of those that nobody expected. */
export function formatExploration({ scenarios }: ExploreResult, layout: Layout): string {
  const { paint, columns } = layout;
  const reasons = [...new Set(scenarios.flatMap(({ reason }) => reason ?? []))];
  const rows = scenarios.map((result) => cells(result, reasons));
  const widths = HEAD.map((head, at) =>
    Math.max(head.length, ...rows.map((row) => row[at]!.length)),
  );
  const format = (row: readonly string[]): string =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd();
  const lines = rows.map((row, index) => verdictPaint(scenarios[index]!, paint)(format(row)));
  const table = [paint.bold(format(HEAD)), ...lines].map((line) => `${line}\n`).join("");
  const told = scenarios.filter(
    (result) => result.violations.length > 0 && (scenarios.length < 4 || !isAsExpected(result)),
  );
  const stories = told.map(
    (result) =>
      `\n${paint.bold(`${headingOf(result)}`)}\n` +
      result.violations.map((each) => formatCounterexample(each, columns)).join("\n"),
  );
  const known = reasons.map((reason, index) => `[${index + 1}] ${reason}\n`).join("");
  const bounds = new Set(scenarios.flatMap(({ cutBy }) => cutBy ?? []));
  const cuts = [...bounds].map((bound) => `cut by ${bound}: ${BOUNDS[bound]}\n`).join("");
  return table + (cuts && `\n${cuts}`) + (known && `\n${known}`) + stories.join("");
}

const headingOf = ({ name, policy, protocol, mutation }: ScenarioResult): string =>
  `${name}, ${policy}, ${protocol}, mutation ${mutation}`;

/** The plain-language line, and the schedule below it. */
export function formatCounterexample(counterexample: Counterexample, columns: number): string {
  const { invariant, message, explanation } = counterexample;
  const meanwhile = explanation === "" ? "" : `Meanwhile ${explanation}.\n`;
  return `${invariant}: ${message}.\n${meanwhile}\n${formatSchedule(counterexample, columns)}`;
}

function cells(result: ScenarioResult, reasons: readonly string[]): string[] {
  const { name, policy, protocol, mutation, memory, executions, depth, reason } = result;
  const counts = [String(executions), String(depth)];
  const why = reason === null ? "" : ` [${reasons.indexOf(reason) + 1}]`;
  return [name, policy, protocol, mutation, memory, ...counts, verdictOf(result) + why];
}

function verdictOf(result: ScenarioResult): string {
  const { violations, complete, preemptionBound, cutBy, expected } = result;
  const [violation] = violations;
  if (violation !== undefined) {
    return `${violation.invariant} violated${expected === "violation" ? ", as expected" : ""}`;
  }
  const missing = expected === "violation" ? ", though one was expected" : "";
  const bound = preemptionBound === null ? "" : ` to ${preemptionBound} preemptions`;
  return complete
    ? `no violation, complete${bound}${missing}`
    : `no violation, cut by ${cutBy}${missing}`;
}

function verdictPaint(result: ScenarioResult, paint: Paint): (text: string) => string {
  if (!isAsExpected(result)) return paint.bad;
  return result.violations.length > 0 ? paint.known : paint.good;
}
