// Programs with less in them than a given one, the much smaller ones first; and the smallest that
// still fails, found by taking one after the other.

import type { Access, ControlRegisters } from "../../base/architecture.ts";
import { ENTRY } from "../../reference/entry.ts";
import { bit, bits, CR0, CR4 } from "../../reference/registers.ts";
import type { EntryWrite, Program, Step } from "./random-program.ts";

/** Bits of an entry that can be left out without changing what it points to. */
const FLAGS: readonly bigint[] = [
  ENTRY.XD | bits(62, 52),
  bit(8),
  ENTRY.A | ENTRY.D,
  bits(11, 9) | bits(4, 3),
  ENTRY.PS,
];

/** Control bits that can be clear in any state. */
const OPTIONAL = {
  cr0: [CR0.WP],
  cr4: [CR4.PGE, CR4.PSE, CR4.SMEP, CR4.SMAP, CR4.PKE, CR4.PKS],
  pkru: [bits(31, 0)],
  pkrs: [bits(31, 0)],
} as const;

export function* smaller(program: Program): Generator<Program> {
  const { entries, steps, registers } = program;
  for (const fewer of shorter(steps)) yield { ...program, steps: fewer };
  for (const fewer of shorter(entries)) yield { ...program, entries: fewer };
  for (const simple of simplerRegisters(registers)) yield { ...program, registers: simple };
  for (const [index, step] of steps.entries()) {
    for (const simple of simplerStep(step)) {
      yield { ...program, steps: steps.with(index, simple) };
    }
  }
  for (const [index, entry] of entries.entries()) {
    for (const simple of simplerEntry(entry)) {
      yield { ...program, entries: entries.with(index, simple) };
    }
  }
}

/** Without a half, a quarter, ... and at last without a single one. */
function* shorter<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let from = 0; from < list.length; from += size) {
      yield list.toSpliced(from, size);
    }
  }
}

function* simplerRegisters(registers: ControlRegisters): Generator<ControlRegisters> {
  for (const name of ["cr0", "cr4", "pkru", "pkrs"] as const) {
    for (const flag of OPTIONAL[name]) {
      if ((registers[name] & flag) !== 0n) yield { ...registers, [name]: registers[name] & ~flag };
    }
  }
}

function* simplerStep(step: Step): Generator<Step> {
  if (step.kind === "entry") yield* simplerEntry(step);
  if (step.kind !== "access") return;
  const { address, kind, bytes, user } = step.access;
  const plain: Access = { address, kind, bytes, user };
  if (Object.keys(step.access).length > 4) yield { kind: "access", access: plain };
  if (bytes > 1) yield { kind: "access", access: { ...step.access, bytes: 1 } };
  if (kind !== "read") yield { kind: "access", access: { ...step.access, kind: "read" } };
}

function* simplerEntry(entry: EntryWrite): Generator<EntryWrite> {
  for (const flag of FLAGS) {
    if ((entry.value & flag) !== 0n) yield { ...entry, value: entry.value & ~flag };
  }
}

/** The smallest program that fails, by steps that all fail. */
export function shrink(program: Program, fails: (candidate: Program) => boolean): Program {
  let smallest = program;
  for (;;) {
    const next = firstFailing(smaller(smallest), fails);
    if (next === undefined) return smallest;
    smallest = next;
  }
}

function firstFailing(
  candidates: Iterable<Program>,
  fails: (candidate: Program) => boolean,
): Program | undefined {
  for (const candidate of candidates) if (fails(candidate)) return candidate;
  return undefined;
}
