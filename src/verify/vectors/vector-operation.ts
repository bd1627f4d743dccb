// One operation of a vector's case, from JSON.

import { BadInput } from "../../base/bad-input.ts";
import { Fields } from "./vector-fields.ts";
import type { DataOperation, Entry, VectorMode, VectorOperation } from "./vector.ts";

const ACCESS = ["va", "sz", "cpl", "ac", "seg"] as const;
const DATA = [...ACCESS, "val"] as const;
const VALUE = ["val"] as const;

/** What an operation may have, beside its name. */
const FIELDS = {
  read: DATA,
  write: DATA,
  add: DATA,
  compare: DATA,
  execute: ACCESS,
  entry: ["pa", "val"],
  invlpg: ["va"],
  invpcid: ["type", "pcid", "va"],
  cr0: VALUE,
  cr3: VALUE,
  cr4: VALUE,
  efer: VALUE,
  pkru: VALUE,
} as const satisfies Readonly<Record<VectorOperation["kind"], readonly string[]>>;

const SIZES = [1, 2, 4, 8] as const;

const NAMES = {
  r: "read",
  w: "write",
  rmw: "add",
  cx: "compare",
  x: "execute",
  pte: "entry",
  invlpg: "invlpg",
  invpcid: "invpcid",
  cr0: "cr0",
  cr3: "cr3",
  cr4: "cr4",
  efer: "efer",
  pkru: "pkru",
} as const satisfies Readonly<Record<string, VectorOperation["kind"]>>;

export function parseOperation(path: string, mode: VectorMode, value: unknown): VectorOperation {
  const fields = new Fields(`${path}.`, value);
  const kind = NAMES[fields.name("op", Object.keys(NAMES) as (keyof typeof NAMES)[])];
  fields.allow(["op", ...FIELDS[kind]]);
  switch (kind) {
    case "read":
    case "write":
    case "add":
    case "compare":
    case "execute":
      return dataOperation(fields, mode, kind);
    case "entry":
      return { kind, ...checkedEntry(path, mode, fields.quantity("pa"), fields.quantity("val")) };
    case "invlpg":
      return { kind, address: fields.quantity("va") };
    case "invpcid":
      return {
        kind,
        type: fields.quantity("type"),
        pcid: fields.quantity("pcid", 0n),
        address: fields.quantity("va", 0n),
      };
    default:
      return { kind, value: fields.quantity("val") };
  }
}

function dataOperation(
  fields: Fields,
  mode: VectorMode,
  kind: DataOperation["kind"],
): DataOperation {
  const stores = kind === "write" || kind === "add";
  if (fields.has("seg") && fields.text("seg") !== "ss") throw fields.bad("seg", '"ss", or nothing');
  return {
    kind,
    address: fields.quantity("va"),
    bytes: fields.oneOf("sz", SIZES, mode === "l4" || mode === "l5" ? 8 : 4),
    user: fields.oneOf("cpl", [0, 3], 0) === 3,
    alignmentCheck: fields.flag("ac", false),
    stack: fields.has("seg"),
    value: stores ? fields.quantity("val") : fields.quantity("val", 0n),
  };
}

/** An entry is aligned, in physical memory, and no wider than its mode's entries. */
export function checkedEntry(
  path: string,
  mode: VectorMode,
  address: bigint,
  value: bigint,
): Entry {
  const bytes = mode === "l2" ? 4 : 8;
  const hex = `0x${address.toString(16)}`;
  if (address % BigInt(bytes) !== 0n) {
    throw new BadInput(path, hex, `an address that is a multiple of ${bytes}`);
  }
  if (address >> 52n !== 0n) throw new BadInput(path, hex, "a physical address: at most 52 bits");
  if (value >> BigInt(8 * bytes) !== 0n) {
    throw new BadInput(path, `0x${value.toString(16)}`, `an entry of ${bytes} bytes`);
  }
  return { address, value };
}
