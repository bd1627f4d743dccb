// What comes out: a measurement per run (configuration, workload, seed), and over all seeds a row
// per configuration and workload. The keys of Row are the contract; other programs read them.

import type { Verdict } from "../base/verdict.ts";
import type { Configuration } from "./configuration.ts";

export interface ViolationReport {
  /** "I1" to "I11". */
  readonly invariant: string;
  readonly message: string;
  readonly cycle: number;
  readonly cpus: readonly number[];
  readonly mm: string;
  /** The last operations of each CPU involved, oldest first. */
  readonly operations: readonly { readonly cpu: number; readonly last: readonly string[] }[];
  readonly seed: number;
  /** A shell command that runs into the same violation again. */
  readonly replay: string;
}

export interface FlushCounts {
  readonly full: number;
  readonly ranged: number;
  readonly skipped: number;
}

/** What one run of one workload under one configuration and seed measured. Cycles are emulated. */
export interface Measurement {
  /** Cycles of each flush_tlb_mm_range that had another CPU in its mask, entry to return. */
  readonly initiatorCycles: readonly number[];
  /**
   * Cycles each call-function interrupt (a flush, or an end of lazy use) took from the CPU that it
   * hit, entry to IRET.
   */
  readonly responderCycles: readonly number[];
  /** The part of the responders' cycles that was taken from running tasks: not from idle. */
  readonly stolenCycles: number;
  readonly ipis: number;
  readonly ipisToLazy: number;
  readonly flushes: FlushCounts;
  /** Page walks of user accesses in the measured window, and their cycles. */
  readonly refillWalks: number;
  readonly refillCycles: number;
  readonly contextSwitches: number;
  /** What the workload is there for: rounds, requests, turns. */
  readonly operations: number;
  /** Locked operations on mm_count and mm_users. */
  readonly refcountOps: number;
  /** Emulated time of the measured window. */
  readonly elapsedCycles: number;
  readonly elapsedSeconds: number;
  readonly violations: readonly ViolationReport[];
}

export interface Distribution {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface ConfidenceInterval {
  readonly low: number;
  readonly high: number;
}

export interface Row {
  readonly configuration: Configuration;
  readonly workload: string;
  readonly cores: number;
  readonly seeds: number;
  readonly shootdowns: number;
  readonly initiatorCycles: Distribution;
  readonly responderCycles: Distribution;
  readonly stolenCyclesPerCore: number;
  readonly ipis: number;
  readonly ipisToLazy: number;
  readonly flushes: FlushCounts;
  readonly refillWalks: number;
  readonly refillCycles: number;
  readonly contextSwitches: number;
  readonly switchesPerSecond: number;
  readonly operations: number;
  readonly operationsPerSecond: number;
  readonly refcountOps: number;
  /** "unchecked" where it was asked that no checker watches. */
  readonly verdict: Verdict | "unchecked";
  readonly expected: Verdict;
  readonly violations: readonly ViolationReport[];
  /** 95 % intervals over the seeds (Student's t); absent with a single seed. */
  readonly confidence?: {
    readonly initiatorMean: ConfidenceInterval;
    readonly switchesPerSecond: ConfidenceInterval;
  };
}

export interface ExperimentResult {
  readonly experiment: string;
  readonly seed: number;
  readonly rows: readonly Row[];
}
