// A counterexample as a table, CPUs across and steps down, and as a Mermaid sequence diagram.

import type { Counterexample, HeldByCpu, ScheduledStep } from "../explore/counterexample.ts";

/** Functions named beside a step: the innermost, and who called it. */
const FUNCTIONS = 2;

/** One line a step: number, then what the CPU does in its column; what is held stands below it. */
export function formatSchedule(counterexample: Counterexample, columns: number): string {
  const { schedule, held } = counterexample;
  const cpus = held[0]?.length ?? 0;
  const width = Math.max(24, Math.floor((columns - 5) / Math.max(1, cpus)) - 2);
  const line = (head: string, cpu: number, text: string): string[] =>
    wrap(text, width).map((part, index) => {
      const label = (index === 0 ? head : "").padStart(4);
      return `${label} ${" ".repeat((width + 2) * cpu)}${part}`;
    });
  const head = Array.from({ length: cpus }, (_, cpu) => `CPU ${cpu}`.padEnd(width + 2)).join("");
  const rows = schedule.flatMap((step, index) => [
    ...line(String(index + 1), step.cpu, describeStep(step)),
    ...notesOf(held, index).flatMap(({ cpu, text }) => line("", cpu, `  ${text}`)),
  ]);
  return [`step ${head}`, ...rows].map((row) => `${row.trimEnd()}\n`).join("");
}

/** A sequence diagram: each step a note over its CPU, each interrupt an arrow. */
export function formatSequence({ schedule, held, invariant, message }: Counterexample): string {
  const cpus = held[0]?.length ?? 0;
  const lines = ["sequenceDiagram"];
  for (let cpu = 0; cpu < cpus; cpu++) lines.push(`  participant C${cpu} as CPU ${cpu}`);
  for (const [index, step] of schedule.entries()) {
    const text = clean(describeStep(step));
    const sent = interruptsSent(held, index, step.cpu);
    if (sent.length === 0) lines.push(`  Note over C${step.cpu}: ${index + 1}. ${text}`);
    for (const cpu of sent) lines.push(`  C${step.cpu}->>C${cpu}: ${index + 1}. ${text}`);
  }
  const over = cpus > 1 ? `C0,C${cpus - 1}` : "C0";
  lines.push(`  Note over ${over}: ${invariant}: ${clean(message)}`);
  return `${lines.join("\n")}\n`;
}

function describeStep({ functions, operation }: ScheduledStep): string {
  const where = functions.slice(0, FUNCTIONS).toReversed().join(" > ");
  return where === "" ? operation : `${where}: ${operation}`;
}

/** What has changed of what the CPUs hold. */
function notesOf(
  held: Counterexample["held"],
  index: number,
): { readonly cpu: number; readonly text: string }[] {
  return held[index]!.flatMap((now, cpu) => {
    const before = held[index - 1]?.[cpu];
    return [
      ...changed(now, before, "buffered", "store buffer"),
      ...changed(now, before, "older", "older translation may be cached of page"),
    ].map((text) => ({ cpu, text }));
  });
}

function changed(
  now: HeldByCpu,
  before: HeldByCpu | undefined,
  what: "buffered" | "older",
  label: string,
): string[] {
  const list = now[what].join("; ");
  if (list === (before?.[what].join("; ") ?? "")) return [];
  return [list === "" ? `(${label}: none)` : `(${label}: ${list})`];
}

function interruptsSent(held: Counterexample["held"], index: number, by: number): number[] {
  return [...held[index]!.keys()].filter((cpu) => {
    const before = held[index - 1]?.[cpu]?.interrupts.length ?? 0;
    return cpu !== by && held[index]![cpu]!.interrupts.length > before;
  });
}

/** Mermaid ends a statement at a semicolon and reads # as an entity. */
const clean = (text: string): string => text.replaceAll(/[;#]/g, ",");

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const at = rest.lastIndexOf(" ", width);
    const cut = at > width / 2 ? at : width;
    lines.push(rest.slice(0, cut));
    rest = `  ${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}
