// Rows as CSV (RFC 4180): one column per key of a row, nested keys joined with dots, CRLF lines.

import { AXIS_NAMES } from "../experiment/axes.ts";
import type { Row } from "../experiment/result.ts";

const DISTRIBUTION = ["mean", "p50", "p99", "max"];

const COLUMNS: readonly string[] = [
  ...AXIS_NAMES.map((axis) => `configuration.${axis}`),
  "workload",
  "cores",
  "seeds",
  "shootdowns",
  ...DISTRIBUTION.map((key) => `initiatorCycles.${key}`),
  ...DISTRIBUTION.map((key) => `responderCycles.${key}`),
  "stolenCyclesPerCore",
  "ipis",
  "ipisToLazy",
  ...["full", "ranged", "skipped"].map((key) => `flushes.${key}`),
  "refillWalks",
  "refillCycles",
  "contextSwitches",
  "switchesPerSecond",
  "operations",
  "operationsPerSecond",
  "refcountOps",
  "verdict",
  "expected",
  ...["initiatorMean", "switchesPerSecond"].flatMap((key) => [
    `confidence.${key}.low`,
    `confidence.${key}.high`,
  ]),
  "violations",
];

/** A header and one line per row; violations as JSON in one field. */
export function formatCsv(rows: readonly Row[]): string {
  const lines = rows.map((row) => COLUMNS.map((column) => field(valueAt(row, column))));
  return [COLUMNS.map(field), ...lines].map((line) => `${line.join(",")}\r\n`).join("");
}

function valueAt(row: Row, column: string): unknown {
  return column
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], row);
}

function field(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
