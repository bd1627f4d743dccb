// What one operation of a vector came to, from JSON. It has what is compared of such an operation,
// or it is refused: a result that says nothing would pass whatever the machine does.

import type { Fault } from "../../base/architecture.ts";
import type { Fields } from "./vector-fields.ts";
import type { Outcome, VectorOperation } from "./vector.ts";

const VECTORS = [6, 12, 13, 14] as const;

const FAULT_FIELDS: Readonly<Record<Fault["vector"], readonly string[]>> = {
  6: ["vec"],
  12: ["vec", "ec"],
  13: ["vec", "ec"],
  14: ["vec", "ec", "cr2"],
};

interface Done {
  /** Without it, nothing would be compared. */
  readonly needs: readonly string[];
  readonly may: readonly string[];
}

const LOADED: Done = { needs: ["val"], may: ["pa", "pfn24"] };
const NOTHING: Done = { needs: [], may: [] };

/** What is said of an operation that was carried out, beside `ok`. */
const DONE: Readonly<Record<VectorOperation["kind"], Done>> = {
  read: LOADED,
  compare: LOADED,
  add: { needs: ["val"], may: ["pa", "pa2"] },
  // Where a store went is not always seen. It did not fault, and the entries at the end show it.
  write: { needs: [], may: ["pa", "pa2"] },
  execute: { needs: ["pfn"], may: [] },
  entry: NOTHING,
  invlpg: NOTHING,
  invpcid: NOTHING,
  cr0: NOTHING,
  cr3: NOTHING,
  cr4: NOTHING,
  efer: NOTHING,
  pkru: NOTHING,
};

/** Every field that a result of some operation may have. */
export const RESULT_FIELDS = ["ok", "val", "pa", "pa2", "pfn", "pfn24", "vec", "ec", "cr2"];

const KEYS = {
  value: "val",
  physical: "pa",
  secondPhysical: "pa2",
  frame: "pfn",
} as const;

export function faultOf(fields: Fields): Fault {
  const vector = fields.oneOf("vec", VECTORS);
  fields.allow(FAULT_FIELDS[vector]);
  const errorCode = Number(vector === 6 ? 0n : fields.quantity("ec"));
  return vector === 14
    ? { vector, errorCode, address: fields.quantity("cr2") }
    : { vector, errorCode };
}

export function outcomeOf(fields: Fields, { kind }: VectorOperation): Outcome {
  if (fields.has("vec")) return { fault: faultOf(fields) };
  const remedy = "1, or vec, ec and cr2 of a fault";
  if (!fields.has("ok") || !fields.flag("ok")) throw fields.bad("ok", remedy);
  const { needs, may } = DONE[kind];
  fields.allow(["ok", ...needs, ...may]);
  for (const name of needs) {
    if (!fields.has(name)) throw fields.bad(name, "what was seen: without it nothing is compared");
  }
  const known = Object.entries(KEYS).filter(([, name]) => fields.has(name));
  return Object.fromEntries(known.map(([key, name]) => [key, fields.quantity(name)]));
}
