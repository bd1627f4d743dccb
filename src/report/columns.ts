// The columns of the table, cost across. What is zero in a whole group is left out of it.

import { isAsExpected } from "../experiment/row.ts";
import type { Row } from "../experiment/result.ts";
import { brief } from "./number.ts";

export interface Column {
  /** At most two lines. */
  readonly head: string;
  cell(row: Row): string;
  /** Whether there is anything to say about a row. */
  shows(row: Row): boolean;
  /** Columns of the lowest rank go first where the table is too wide. */
  readonly rank: number;
}

const NUMBERS: readonly (readonly [head: string, rank: number, value: (row: Row) => number])[] = [
  ["shoot-\ndowns", 5, (row) => row.shootdowns],
  ["p50", 8, (row) => row.initiatorCycles.p50],
  ["p99", 7, (row) => row.initiatorCycles.p99],
  ["respon-\nder", 8, (row) => row.responderCycles.mean],
  ["stolen\n/core", 6, (row) => row.stolenCyclesPerCore],
  ["IPIs", 9, (row) => row.ipis],
  ["to\nlazy", 4, (row) => row.ipisToLazy],
  ["full\nflush", 5, (row) => row.flushes.full],
  ["ranged", 5, (row) => row.flushes.ranged],
  ["skip-\nped", 3, (row) => row.flushes.skipped],
  ["refill\nwalks", 2, (row) => row.refillWalks],
  ["refill\ncycles", 7, (row) => row.refillCycles],
  ["switches", 1, (row) => row.contextSwitches],
];

const number = (head: string, rank: number, value: (row: Row) => number): Column => ({
  head,
  rank,
  cell: (row) => brief(value(row)),
  shows: (row) => value(row) !== 0,
});

const initiator: Column = {
  head: "initiator\ncycles",
  rank: 10,
  cell: (row) => brief(row.initiatorCycles.mean) + spread(row),
  shows: (row) => row.shootdowns > 0,
};

const verdict: Column = { head: "verdict", rank: 10, cell: verdictOf, shows: () => true };

const [shootdowns, ...others] = NUMBERS.map(([head, rank, value]) => number(head, rank, value));

export const COLUMNS: readonly Column[] = [
  shootdowns!,
  initiator,
  ...others,
  number("switch\n/s", 9, (row) => row.switchesPerSecond),
  number("opera-\ntions/s", 8, (row) => row.operationsPerSecond),
  number("refcount\nops", 6, (row) => row.refcountOps),
  verdict,
];

/** "ok" and "violation" as expected; "!" and a word where the verdict is not the expected one. */
function verdictOf(row: Row): string {
  if (isAsExpected(row)) return row.verdict;
  return row.verdict === "ok" ? "! none seen" : "! violation";
}

/** Half the width of the 95 % interval, where there are several seeds. */
function spread(row: Row): string {
  const interval = row.confidence?.initiatorMean;
  return interval === undefined ? "" : ` ±${brief((interval.high - interval.low) / 2)}`;
}
