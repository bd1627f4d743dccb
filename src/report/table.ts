// Rows as text: one table per workload, configurations down, cost across. Axes that do not vary are
// said once, above.

import Table from "cli-table3";
import { printable } from "../base/printable.ts";
import { AXIS_NAMES } from "../experiment/axes.ts";
import type { ConfigurationAxis } from "../experiment/configuration.ts";
import type { Row } from "../experiment/result.ts";
import { COLUMNS, type Column } from "./columns.ts";
import { paintVerdict, plain, type Paint } from "./paint.ts";

export interface TableOptions {
  readonly paint?: Paint;
  /** Columns of the terminal; the least telling columns of a group give way. */
  readonly width?: number;
}

const GAP = "  ";
const NO_LINES = Object.fromEntries(
  ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left"]
    .concat(["bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid"])
    .map((line) => [line, ""]),
);

/** The tables of all workloads, ending in a line feed. */
export function formatTable(rows: readonly Row[], options: TableOptions = {}): string {
  const { paint = plain, width = 140 } = options;
  const constant = AXIS_NAMES.filter((axis) => !varies(axis, rows));
  const workloads = [...new Set(rows.map((row) => row.workload))];
  const tables = workloads.map((workload) => {
    const group = rows.filter((row) => row.workload === workload);
    const own = AXIS_NAMES.filter((axis) => !constant.includes(axis) && !varies(axis, group));
    const title = [paint.bold(printable(workload)), sayAxes(own, group[0]!)].filter(
      (part) => part !== "",
    );
    const axes = AXIS_NAMES.filter((axis) => varies(axis, group));
    return `${title.join(GAP)}\n${formatGroup(group, axes, { paint, width })}`;
  });
  const first = rows[0];
  const head = first === undefined ? "no rows" : sayAxes(constant, first);
  return `${[head, ...tables].join("\n\n")}\n`;
}

function formatGroup(
  rows: readonly Row[],
  axes: readonly ConfigurationAxis[],
  { paint, width }: Required<TableOptions>,
): string {
  const axisColumns = axes.map(columnOfAxis);
  const telling = COLUMNS.filter((column) => rows.some((row) => column.shows(row)));
  const { columns, dropped } = fit([...axisColumns, ...telling], rows, width);
  const table = new Table({
    chars: { ...NO_LINES, middle: GAP },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    colAligns: columns.map((column) => (column.rank === AXIS_RANK ? "left" : "right")),
    head: columns.map((column) => underlined(column.head, paint)),
  });
  for (const row of rows) {
    table.push(
      columns.map((column) =>
        column.head === "verdict" ? paintVerdict(row, column.cell(row), paint) : column.cell(row),
      ),
    );
  }
  const text = table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
  const names = dropped.map((column) => column.head.replace("-\n", "").replace("\n", " "));
  if (names.length > 0) text.push(paint.dim(`not shown: ${names.join(", ")}`));
  return text.join("\n");
}

const AXIS_RANK = 100;

function columnOfAxis(axis: ConfigurationAxis): Column {
  return {
    head: axis,
    rank: AXIS_RANK,
    cell: (row) => String(row.configuration[axis] ?? "-"),
    shows: () => true,
  };
}

/** Leaves out columns, those of the lowest rank first, until the table is narrow enough. */
function fit(
  all: readonly Column[],
  rows: readonly Row[],
  width: number,
): { readonly columns: readonly Column[]; readonly dropped: readonly Column[] } {
  let columns = all;
  const dropped: Column[] = [];
  while (widthOf(columns, rows) > width) {
    const least = columns.reduce((a, b) => (b.rank < a.rank ? b : a));
    if (least.rank === AXIS_RANK) break;
    columns = columns.filter((column) => column !== least);
    dropped.push(least);
  }
  return { columns, dropped };
}

function widthOf(columns: readonly Column[], rows: readonly Row[]): number {
  const widths = columns.map((column) =>
    Math.max(
      ...column.head.split("\n").map((line) => line.length),
      ...rows.map((row) => column.cell(row).length),
    ),
  );
  return widths.reduce((sum, one) => sum + one, 0) + GAP.length * (columns.length - 1);
}

function varies(axis: ConfigurationAxis, rows: readonly Row[]): boolean {
  return rows.some((row) => row.configuration[axis] !== rows[0]?.configuration[axis]);
}

function sayAxes(axes: readonly ConfigurationAxis[], row: Row): string {
  return axes
    .filter((axis) => row.configuration[axis] !== undefined)
    .map((axis) => `${axis}=${row.configuration[axis]}`)
    .join(GAP);
}

/** The last line of a head is the one next to the numbers. */
function underlined(head: string, paint: Paint): string {
  return head
    .split("\n")
    .map((line) => paint.dim(line))
    .join("\n");
}
