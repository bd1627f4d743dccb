// What a checker reports: which invariant, where and when, and what the CPUs involved did last.

import { empty } from "../base/empty.ts";
import type { OwnName } from "../base/own-name.ts";
import type { PastOperation } from "../kernel/operation/event.ts";
import type { History } from "../kernel/operation/history.ts";
import type { Mm } from "../kernel/state/mm.ts";

/** The invariants that a run is watched for: docs/architecture.md, Checkers. */
type BuiltInInvariant =
  "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "I9" | "I10" | "I11";

/** One of these, or that of a checker of somebody's own. */
export type Invariant = BuiltInInvariant | OwnName;

export interface Violation {
  readonly invariant: Invariant;
  readonly message: string;
  readonly cycle: number;
  readonly cpus: readonly number[];
  /** The address space involved; "" where there is none. */
  readonly mm: string;
  readonly operations: readonly { readonly cpu: number; readonly last: readonly PastOperation[] }[];
}

/** Violations past this many are counted, not kept. */
const KEPT = 20;

/** Collects what the checkers of one run find. */
export class ViolationLog {
  readonly violations: Violation[] = [];
  /** How many there were, those not kept included. */
  count = 0;

  constructor(
    /** Where the last operations of each CPU are read. */
    private readonly history: Pick<History, "of">,
  ) {}

  clear(): void {
    empty(this.violations);
    this.count = 0;
  }

  report(found: {
    readonly invariant: Invariant;
    readonly message: string;
    readonly cycle: number;
    readonly cpus: readonly number[];
    readonly mm: Mm | null;
  }): void {
    this.count++;
    if (this.violations.length === KEPT) return;
    const operations = found.cpus.map((cpu) => ({ cpu, last: this.history.of(cpu) }));
    this.violations.push({ ...found, mm: found.mm?.name ?? "", operations });
  }
}
