// One line of a vector file: a case, and for a vector what an oracle answered. A line that says
// anything else than the format is bad input.

import { BadInput } from "../../base/bad-input.ts";
import { Fields, quantity, quantityPair } from "./vector-fields.ts";
import { checkedEntry, parseOperation } from "./vector-operation.ts";
import { faultOf, outcomeOf, RESULT_FIELDS } from "./vector-result.ts";
import type { Entry, Vector, VectorCase } from "./vector.ts";

const MODES = ["l4", "l5", "pae", "l2"] as const;
const VENDORS = ["intel", "amd"] as const;
const LEAST_ADDRESS_BITS = 32n;
const MOST_ADDRESS_BITS = 52n;

const REGISTERS = ["cr0", "cr3", "cr4", "efer", "pkru"] as const;
const CASE_FIELDS = ["id", "cat", "mode", "vendor", "maxphy", "gb", ...REGISTERS, "mem", "ops"];
const UNRECORDED_FIELDS = ["skip", "fail"] as const;
const VECTOR_FIELDS = [...CASE_FIELDS, "src", "norm", "exp", ...UNRECORDED_FIELDS];
const EXPECTED_FIELDS = ["res", "ld", "mem", "extra", "loose", ...UNRECORDED_FIELDS];

/** A record of a case that an oracle could not run. */
export interface Unrecorded {
  readonly id: string;
  readonly skipReason: string;
}

/** `where` names the line as messages do: FILE:LINE. */
export function parseVector(where: string, line: string): Vector | Unrecorded {
  const fields = new Fields(`${where} `, jsonOf(where, line));
  const skipReason = skipReasonOf(fields);
  if (skipReason !== undefined) return { id: fields.label("id"), skipReason };
  const vectorCase = caseOf(fields);
  if (!fields.has("exp")) throw fields.bad("exp", "what was recorded; a case alone says nothing");
  return {
    ...vectorCase,
    expected: expectedOf(fields.object("exp"), vectorCase),
    source: fields.text("src", "unknown"),
  };
}

/** A case, of which nothing need have been recorded. */
export const parseCase = (where: string, line: string): VectorCase =>
  readCase(where, jsonOf(where, line));

/** The same of a line that was read already. */
export function readCase(where: string, value: unknown): VectorCase {
  const fields = new Fields(`${where} `, value);
  fields.allow(VECTOR_FIELDS);
  return caseOf(fields);
}

function jsonOf(where: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new BadInput(where, line.trim(), "one JSON object on a line");
  }
}

/** Fields that nobody reads are refused here, of what is left out as well. */
function skipReasonOf(fields: Fields): string | undefined {
  fields.allow(VECTOR_FIELDS);
  const inExpected = fields.has("exp") ? [fields.object("exp")] : [];
  for (const expected of inExpected) expected.allow(EXPECTED_FIELDS);
  const results = inExpected.flatMap((expected) =>
    expected.list("res", (path, value) => new Fields(`${path}.`, value), []),
  );
  for (const result of results) result.allow([...RESULT_FIELDS, ...UNRECORDED_FIELDS]);
  for (const record of [fields, ...inExpected, ...results]) {
    for (const name of UNRECORDED_FIELDS) {
      if (record.has(name)) return `${name}: ${record.label(name)}`;
    }
  }
  return undefined;
}

function caseOf(fields: Fields): VectorCase {
  const mode = fields.name("mode", MODES);
  const addressBits = fields.quantity("maxphy");
  if (addressBits < LEAST_ADDRESS_BITS || addressBits > MOST_ADDRESS_BITS) {
    throw fields.bad("maxphy", `${LEAST_ADDRESS_BITS} to ${MOST_ADDRESS_BITS}`);
  }
  return {
    id: fields.label("id"),
    category: fields.text("cat", ""),
    mode,
    vendor: fields.name("vendor", VENDORS),
    physicalAddressBits: Number(addressBits),
    gigabytePages: fields.flag("gb", true),
    cr0: fields.quantity("cr0"),
    cr3: fields.quantity("cr3"),
    cr4: fields.quantity("cr4"),
    efer: fields.quantity("efer"),
    pkru: fields.quantity("pkru", 0n),
    entries: fields.list("mem", (path, value) =>
      checkedEntry(path, mode, ...quantityPair(path, value)),
    ),
    operations: fields.list("ops", (path, value) => parseOperation(path, mode, value)),
  };
}

function expectedOf(fields: Fields, vectorCase: VectorCase): Vector["expected"] {
  const loadFault = fields.has("ld") ? faultOf(fields.object("ld")) : undefined;
  const operations = loadFault === undefined ? vectorCase.operations : [];
  const results = fields.list("res", (path, value) => new Fields(`${path}.`, value));
  if (results.length !== operations.length) {
    throw fields.bad("res", `${operations.length} results, one for each operation that ran`);
  }
  const outcomes = results.map((result, index) => outcomeOf(result, operations[index]!));
  return {
    ...(loadFault && { loadFault }),
    outcomes,
    finalEntries: finalEntriesOf(fields, vectorCase),
    loose: new Map(fields.list("loose", quantityPair, [])),
  };
}

/** Values only, of the case's addresses in order, then of those that `extra` names. */
function finalEntriesOf(fields: Fields, { entries }: VectorCase): readonly Entry[] {
  const values = fields.list("mem", quantity);
  const extra = fields.list("extra", quantity, []);
  const addresses = [...new Set([...entries.map(({ address }) => address), ...extra])];
  if (values.length !== addresses.length) {
    throw fields.bad("mem", `${addresses.length} values, one for each entry`);
  }
  return addresses.map((address, index) => ({ address, value: values[index]! }));
}
