// A program for paging: what the processor is, the tables to begin with, and what is then done. It
// is plain data, every step stands by itself, and any step may be left out.

import type {
  Access,
  ControlInstruction,
  ControlRegisters,
  PagingEngine,
  PagingFeatures,
} from "../../base/architecture.ts";

/** A write to physical memory: 4 bytes where entries have 4. */
export interface EntryWrite {
  readonly kind: "entry";
  readonly address: bigint;
  readonly bytes: 4 | 8;
  readonly value: bigint;
}

export type Step =
  | EntryWrite
  | { readonly kind: "access"; readonly access: Access }
  | { readonly kind: "control"; readonly instruction: ControlInstruction };

export interface Program {
  readonly features: PagingFeatures;
  /** A control state that a processor can be in. */
  readonly registers: ControlRegisters;
  /** Written while memory is zero and nothing is cached; then CR3 is loaded. */
  readonly entries: readonly EntryWrite[];
  readonly steps: readonly Step[];
}

/** An engine whose registers can be seen. */
export interface OpenEngine extends PagingEngine {
  readonly registers: ControlRegisters;
}

export type BootOpenEngine = (features: PagingFeatures, registers: ControlRegisters) => OpenEngine;

/** What an engine did that it must not do. */
export interface Finding {
  readonly expected: string;
  readonly actual: string;
}

/** The first finding of a program, and where it was. */
export interface Difference extends Finding {
  /** Index of the step; "load" is the first load of CR3, "end" what is left behind. */
  readonly place: number | "load" | "end";
}

/** The load of CR3 that comes before the first step: in PAE paging it loads the PDPTEs. */
export const firstLoad = ({ registers }: Program): ControlInstruction => ({
  kind: "write",
  register: "cr3",
  value: registers.cr3,
});

/** The aligned words of physical memory that the program ever writes, and so all that are not 0. */
export function wordsOf({ entries, steps }: Program): readonly bigint[] {
  const written = [...entries, ...steps.filter((step) => step.kind === "entry")];
  return [...new Set(written.map(({ address }) => address & ~7n))];
}
