// A violation as something that a kernel developer can act on: what broke, when, on which CPUs, the
// last operations of each, and the command that runs into it again.

import { printable } from "../base/printable.ts";
import type { Row, ViolationReport } from "../experiment/result.ts";
import { plain, type Paint } from "./paint.ts";

/** Columns before the operations are continued on the next line. */
const WIDTH = 138;

/** What each invariant says, for the heading of a report. */
const INVARIANTS: Readonly<Record<string, string>> = {
  I1: "no translation older than a finished flush is used",
  I2: "no page table that was freed is reachable for a walk",
  I3: "an ASID slot is no staler than its recorded generation",
  I4: "a root that a CR3 points at is not freed",
  I5: "kernel code neither dereferences nor passes on a freed mm",
  I6: "rq->prev_mm is consumed exactly once",
  I7: "mm_cpumask covers every CPU whose loaded_mm is that mm",
  I8: "no PCID holds an affected global entry after a kernel flush",
  I9: "references balance",
  I10: "no CPU waits for an acknowledgement that cannot come",
  I11: "kernel functions have the locks and the interrupt flag that they need",
};

/** The first violation of each invariant by policy and mutation, those first that nobody expected;
 *  empty where nothing broke. */
export function formatViolations(rows: readonly Row[], paint: Paint = plain): string {
  const told = new Set<string>();
  const texts = rows
    .toSorted((a, b) => Number(a.verdict === a.expected) - Number(b.verdict === b.expected))
    .flatMap((row) =>
      row.violations.map((violation) => {
        const { lazyTlb, mutation = "none" } = row.configuration;
        const key = `${lazyTlb} ${mutation} ${violation.invariant} ${row.expected}`;
        if (told.has(key)) return "";
        told.add(key);
        return describe(row, violation, paint);
      }),
    )
    .filter((text) => text !== "");
  return texts.join("\n");
}

function describe(row: Row, violation: ViolationReport, paint: Paint): string {
  const { invariant, message, cycle, cpus, mm, seed } = violation;
  const known = row.expected === "violation";
  const rule = INVARIANTS[invariant];
  const heading = `${invariant} broken${rule === undefined ? "" : ` (${rule})`}`;
  const { lazyTlb, mutation = "none" } = row.configuration;
  const mutated = mutation === "none" ? "" : `, mutation=${mutation}`;
  const what = `${printable(row.workload)}, lazyTlb=${lazyTlb}${mutated}, ${row.cores} cores`;
  return [
    `${known ? paint.known(heading) : paint.bad(heading)}  ${what}${known ? ", as expected" : ""}`,
    `  ${printable(message)}`,
    [
      `  at cycle ${cycle}`,
      ...(mm === "" ? [] : [printable(mm)]),
      ...(cpus.length === 0 ? [] : [`${cpus.length === 1 ? "CPU" : "CPUs"} ${cpus.join(", ")}`]),
      `seed ${seed}`,
    ].join(", "),
    ...violation.operations.map(({ cpu, last }) => wrapped(`  cpu ${cpu}: `, last.map(printable))),
    `  again: ${printable(violation.replay)}`,
    "",
  ].join("\n");
}

/** The operations after the label, each line continued below the first one's start. */
function wrapped(label: string, operations: readonly string[]): string {
  const lines = [label];
  for (const [index, operation] of operations.entries()) {
    const text = index === operations.length - 1 ? operation : `${operation} -> `;
    const line = lines.at(-1)!;
    const fits = line.length + text.trimEnd().length <= WIDTH || line.trim() === "";
    if (fits) lines[lines.length - 1] += text;
    else lines.push(" ".repeat(label.length) + text);
  }
  return lines.map((line) => line.trimEnd()).join("\n");
}
