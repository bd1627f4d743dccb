// A vector as a file has it: one 4-level page that is read, plus changes.

import { parseVector } from "../../../src/verify/vectors/parse.ts";
import type { Vector } from "../../../src/verify/vectors/vector.ts";

export const ADDRESS = "0x5008";

/** A root at 0x1000, tables at 0x2000 and 0x3000, a page table at 0x4000; 0x5000 maps 0x9000. */
export const RECORD = {
  id: "one",
  cat: "test",
  mode: "l4",
  vendor: "intel",
  maxphy: 46,
  gb: 1,
  cr0: "0x80010033",
  cr3: "0x1000",
  cr4: "0x20",
  efer: "0xd00",
  mem: [
    ["0x1000", "0x2007"],
    ["0x2000", "0x3007"],
    ["0x3000", "0x4007"],
    ["0x4028", "0x9007"],
  ],
  ops: [{ op: "r", va: ADDRESS }] as readonly unknown[],
  src: "kvm",
  exp: {
    res: [{ ok: 1, val: "0x8f400000009b8", pa: "0x9008" }] as readonly unknown[],
    mem: ["0x2027", "0x3027", "0x4027", "0x9027"],
  } as Readonly<Record<string, unknown>>,
};

export const lineOf = (changed: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ ...RECORD, ...changed });

export function vectorOf(changed: Readonly<Record<string, unknown>> = {}): Vector {
  const vector = parseVector("here:1", lineOf(changed));
  if ("skipReason" in vector) throw new Error("not a vector");
  return vector;
}

/** As JSON has it. */
export interface RecordedOperation {
  readonly op: string;
  readonly [field: string]: unknown;
}

/** The vector with other operations, and results that need not be right. */
export const withOperations = (...ops: readonly RecordedOperation[]): Vector =>
  vectorOf({ ops, exp: { ...RECORD.exp, res: ops.map(({ op }) => answerTo(op)) } });

/** The least that has to be said of an operation that was carried out. */
function answerTo(op: string): object {
  if (op === "x") return { ok: 1, pfn: 0 };
  return ["r", "cx", "rmw"].includes(op) ? { ok: 1, val: 0 } : { ok: 1 };
}
