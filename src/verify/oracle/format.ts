// A case as the line of JSON that the oracle reads. The format is documented in docs/vectors.md.

import { hex } from "../../base/address.ts";
import type { DataOperation, VectorCase, VectorOperation } from "../vectors/vector.ts";

export function formatCase(the: VectorCase): string {
  return JSON.stringify({
    id: the.id,
    cat: the.category,
    mode: the.mode,
    vendor: the.vendor,
    maxphy: the.physicalAddressBits,
    gb: the.gigabytePages ? 1 : 0,
    cr0: hex(the.cr0),
    cr3: hex(the.cr3),
    cr4: hex(the.cr4),
    efer: hex(the.efer),
    pkru: hex(the.pkru),
    mem: the.entries.map(({ address, value }) => [hex(address), hex(value)]),
    ops: the.operations.map(formatOperation),
  });
}

function formatOperation(operation: VectorOperation): object {
  switch (operation.kind) {
    case "read":
    case "write":
    case "add":
    case "compare":
    case "execute":
      return formatAccess(operation);
    case "entry":
      return { op: "pte", pa: hex(operation.address), val: hex(operation.value) };
    case "invlpg":
      return { op: "invlpg", va: hex(operation.address) };
    case "invpcid": {
      const { type, pcid, address } = operation;
      return { op: "invpcid", type: hex(type), pcid: hex(pcid), va: hex(address) };
    }
    default:
      return { op: operation.kind, val: hex(operation.value) };
  }
}

const NAMES: Readonly<Record<DataOperation["kind"], string>> = {
  read: "r",
  write: "w",
  add: "rmw",
  compare: "cx",
  execute: "x",
};

function formatAccess(access: DataOperation): object {
  const { kind, address, bytes, user, alignmentCheck, stack, value } = access;
  const stores = kind !== "read" && kind !== "execute";
  return {
    op: NAMES[kind],
    va: hex(address),
    sz: bytes,
    cpl: user ? 3 : 0,
    ...(alignmentCheck && { ac: 1 }),
    ...(stack && { seg: "ss" }),
    ...(stores && { val: hex(value) }),
  };
}
