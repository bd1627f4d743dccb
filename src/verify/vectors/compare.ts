// What an engine answered against what a vector expects. Compared is what tells most: a value where
// something was read (it names the place), the place where something was stored, the frame that
// instructions came from, every fault, and the entries at the end but for bits that are left open.

import { hex } from "../../base/address.ts";
import type { Fault } from "../../base/architecture.ts";
import type { Entry, Outcome, Vector, VectorOperation, VectorResult } from "./vector.ts";

export interface Difference {
  /** Index of the operation, the initial load of CR3, or the entries at the end. */
  readonly operation: number | "load" | "final";
  readonly expected: string;
  readonly actual: string;
}

export function compareResult(vector: Vector, actual: VectorResult): readonly Difference[] {
  const { expected } = vector;
  const differences: Difference[] = [];
  const compare = (
    operation: Difference["operation"],
    [wanted, found]: readonly [string, string],
  ): void => {
    if (wanted !== found) differences.push({ operation, expected: wanted, actual: found });
  };
  compare("load", [describeLoad(expected.loadFault), describeLoad(actual.loadFault)]);
  if (differences.length > 0) return differences;
  expected.outcomes.forEach((outcome, index) => {
    compare(index, describePair(vector.operations[index]!, outcome, actual.outcomes[index]!));
  });
  for (const { address, value, found } of wrongEntries(vector, actual)) {
    compare("final", [describeEntry(address, value), describeEntry(address, found)]);
  }
  return differences;
}

/** An entry that is not what it should be at the end. */
export interface WrongEntry extends Entry {
  readonly found?: bigint;
}

/** The final entries that differ in more than loose bits. */
export function wrongEntries(
  { expected }: Vector,
  { finalEntries }: VectorResult,
): readonly WrongEntry[] {
  const found = new Map(finalEntries.map(({ address, value }) => [address, value]));
  return expected.finalEntries.flatMap(({ address, value }) => {
    const compared = ~(expected.loose.get(address) ?? 0n);
    const final = found.get(address);
    if (final === undefined) return [{ address, value }];
    return (final & compared) === (value & compared) ? [] : [{ address, value, found: final }];
  });
}

const describeLoad = (fault: Fault | undefined): string =>
  fault === undefined ? "CR3 loaded" : describeFault(fault);

const describeEntry = (address: bigint, value: bigint | undefined): string =>
  `entry at ${hex(address)} is ${value === undefined ? "unknown" : hex(value)}`;

const MNEMONICS: Readonly<Record<Fault["vector"], string>> = {
  6: "#UD",
  12: "#SS",
  13: "#GP",
  14: "#PF",
};

export function describeFault({ vector, errorCode, address }: Fault): string {
  const code = vector === 6 ? "" : `(${hex(errorCode)})`;
  const where = vector === 14 && address !== undefined ? ` at ${hex(address)}` : "";
  return `${MNEMONICS[vector]}${code}${where}`;
}

/** Both outcomes in words, of `actual` only what was expected to be known. */
function describePair(
  operation: VectorOperation,
  expected: Outcome,
  actual: Outcome,
): readonly [string, string] {
  if (expected.fault !== undefined || actual.fault !== undefined) {
    return [describeOutcome(expected), describeOutcome(actual)];
  }
  const wanted = comparedOf(operation, expected);
  const found = comparedOf(operation, actual);
  const seen = Object.fromEntries(
    Object.keys(wanted).map((key) => [key, found[key as keyof Outcome]]),
  );
  return [describeOutcome(wanted), describeOutcome(seen)];
}

/** Of a load its value, which names the address; of a store the address; of a fetch the frame. */
function comparedOf({ kind }: VectorOperation, outcome: Outcome): Outcome {
  if (outcome.fault !== undefined) return outcome;
  const { value, physical, secondPhysical, frame } = outcome;
  const stored = {
    ...(physical !== undefined && { physical }),
    ...(secondPhysical !== undefined && { secondPhysical }),
  };
  switch (kind) {
    case "read":
    case "compare":
      return value === undefined ? {} : { value };
    case "write":
      return stored;
    case "add":
      return { ...(value !== undefined && { value }), ...stored };
    case "execute":
      return frame === undefined ? {} : { frame };
    default:
      return {};
  }
}

function describeOutcome(outcome: Outcome): string {
  if (outcome.fault !== undefined) return describeFault(outcome.fault);
  const { value, physical, secondPhysical, frame } = outcome;
  const said = [
    ["read", value],
    ["stored at", physical],
    ["and at", secondPhysical],
    ["executed in frame", frame],
  ] as const;
  const known = said.filter(([, number]) => number !== undefined);
  if (known.length === 0) return "done";
  return known.map(([verb, number]) => `${verb} ${hex(number!)}`).join(" ");
}
