// What came of vectors: counts, then each failure with the machine beside the reference model.

import { hex } from "../base/address.ts";
import type { Fault } from "../base/architecture.ts";
import { printable } from "../base/printable.ts";
import { describeFault } from "../verify/vectors/compare.ts";
import type { ExplainedFailure, InstructionSides } from "../verify/vectors/side-by-side.ts";
import type { DataOperation, VectorOperation } from "../verify/vectors/vector.ts";
import type { Verification } from "../verify/vectors/verify-vectors.ts";
import type { Paint } from "./paint.ts";
import { LEGEND, type WalkRow, walkRows } from "./walk-rows.ts";

/** Both sides in one line fit from here on; the longest are a little shorter. */
const SIDE_BY_SIDE_COLUMNS = 120;

interface Layout {
  readonly paint: Paint;
  readonly columns: number;
}

export function formatVerification(
  { cases, passed, failed, skipped, skippedReasons }: Verification,
  failures: readonly ExplainedFailure[],
  layout: Layout,
): string {
  const { paint } = layout;
  const run = cases === 1 ? "1 case" : `${cases} cases`;
  const counts = `${run}: ${passed} passed, ${failed} failed, ${skipped} skipped`;
  const lines = [
    failed === 0 ? paint.good(counts) : paint.bad(counts),
    ...Object.keys(skippedReasons)
      .toSorted()
      .map((reason) => `skipped ${skippedReasons[reason]}: ${printable(reason)}`),
    ...failures.flatMap((failure) => ["", ...failureLines(failure, layout)]),
  ];
  if (failures.some(({ sides }) => sides?.kind === "access")) lines.push("", paint.dim(LEGEND));
  if (failed > failures.length) {
    lines.push("", `${failed - failures.length} more failed; --failures N shows N of them`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function failureLines(explained: ExplainedFailure, layout: Layout): readonly string[] {
  const { failure, vector, at, sides } = explained;
  const { id, operation, expected, actual } = failure;
  const place = operation === "final" ? "at the end" : describeOperation(explained, operation);
  const lines = [
    `${layout.paint.bad("failed")} ${layout.paint.bold(printable(id))} ${place}`,
    `  expected  ${expected} (${printable(vector.source)})`,
    `  actual    ${actual}`,
  ];
  if (sides === undefined || at === undefined) return lines;
  if (operation === "final") lines.push(`  last used by ${describeOperation(explained, at)}`);
  const rows = sides.kind === "access" ? walkRows(sides) : [instructionRow(sides)];
  return [...lines, ...sideBySide(rows, layout)];
}

function instructionRow({ machine, reference }: InstructionSides): WalkRow {
  const said = (fault: Fault | undefined): string =>
    fault === undefined ? "no fault" : describeFault(fault);
  return { entry: "", machine: said(machine), reference: said(reference) };
}

/** Two columns, or where they do not fit one below the other. */
function sideBySide(rows: readonly WalkRow[], { paint, columns }: Layout): readonly string[] {
  const head = { entry: "", machine: "machine", reference: "reference model" };
  const all = [head, ...rows];
  const entryWidth = Math.max(...all.map(({ entry }) => entry.length));
  const machineWidth = Math.max(...all.map(({ machine }) => machine.length));
  const paintHead = (text: string, index: number): string => (index === 0 ? paint.dim(text) : text);
  if (columns >= SIDE_BY_SIDE_COLUMNS) {
    return all.map(({ entry, machine, reference }, index) => {
      const left = `  ${entry.padEnd(entryWidth)}  ${machine.padEnd(machineWidth)}`;
      return paintHead(`${left} | ${reference}`.trimEnd(), index);
    });
  }
  return (["machine", "reference"] as const).flatMap((side) =>
    all
      .filter((row) => row[side] !== "")
      .map((row, index) => paintHead(`  ${row.entry.padEnd(entryWidth)}  ${row[side]}`, index)),
  );
}

function describeOperation({ vector }: ExplainedFailure, at: number | "load"): string {
  if (at === "load") return `the first MOV to CR3, of ${hex(vector.cr3)}`;
  return `operation ${at}: ${describe(vector.operations[at]!)}`;
}

const VERBS: Readonly<Record<DataOperation["kind"], string>> = {
  read: "load",
  write: "store",
  add: "LOCK XADD",
  compare: "LOCK CMPXCHG",
  execute: "jump",
};

const WRITES = {
  cr0: "MOV to CR0",
  cr3: "MOV to CR3",
  cr4: "MOV to CR4",
  efer: "WRMSR to IA32_EFER",
  pkru: "WRPKRU",
} as const;

function describe(operation: VectorOperation): string {
  switch (operation.kind) {
    case "read":
    case "write":
    case "add":
    case "compare":
    case "execute":
      return describeAccess(operation);
    case "entry":
      return `entry at ${hex(operation.address)} becomes ${hex(operation.value)}`;
    case "invlpg":
      return `INVLPG ${hex(operation.address)}`;
    case "invpcid": {
      const { type, pcid, address } = operation;
      return `INVPCID of type ${type}, PCID ${hex(pcid)}, ${hex(address)}`;
    }
    default:
      return `${WRITES[operation.kind]} of ${hex(operation.value)}`;
  }
}

function describeAccess(access: DataOperation): string {
  const { kind, address, bytes, user, alignmentCheck, stack } = access;
  const what =
    kind === "execute"
      ? "jump to"
      : `${VERBS[kind]} of ${bytes === 1 ? "1 byte" : `${bytes} bytes`} at`;
  const how = [user ? "CPL 3" : "CPL 0", alignmentCheck ? "AC" : "", stack ? "through SS" : ""];
  return `${what} ${hex(address)}, ${how.filter((one) => one !== "").join(", ")}`;
}
