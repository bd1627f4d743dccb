// A covering array: few rows in which all values of certain three columns come together. Which rows
// may be is given for the first columns; the rest is free. Greedy: a row is made for a triple that
// is still missing, and is the one of some drawn ones that has the most missing triples.

import { assert } from "../../base/assert.ts";
import type { Random } from "../../base/random.ts";

/** The index of a value, for each column. */
export type CoverRow = readonly number[];

export interface Columns {
  /** How many values each column has. */
  readonly counts: readonly number[];
  /** Three columns each, whose values all are to come together. */
  readonly together: readonly (readonly number[])[];
  /** What the first columns may hold. */
  readonly beginnings: readonly CoverRow[];
}

/** Column and value, three times. */
type Triple = readonly (readonly [column: number, value: number])[];

const DRAWN_FOR_A_ROW = 16;
const MOST_VALUES = 256;

export function cover(columns: Columns, random: Random): readonly CoverRow[] {
  assert(Math.max(...columns.counts) <= MOST_VALUES, "a column has at most 256 values");
  const missing = feasibleTriples(columns);
  const keysOf = (row: CoverRow): readonly number[] =>
    columns.together.map((three) => keyOf(three.map((column) => [column, row[column]!])));
  const rows: CoverRow[] = [];
  for (const triple of missing.values()) {
    const matching = beginningsWith(columns, triple);
    let best: readonly number[] = [];
    let bestRow: CoverRow = [];
    for (let tries = 0; tries < DRAWN_FOR_A_ROW; tries++) {
      const row = drawRow(columns, { triple, matching, random });
      const gained = keysOf(row).filter((key) => missing.has(key));
      if (gained.length > best.length) [best, bestRow] = [gained, row];
    }
    rows.push(bestRow);
    for (const key of best) missing.delete(key);
  }
  return rows;
}

/** Those that some row has, by key. */
function feasibleTriples(columns: Columns): Map<number, Triple> {
  const known = new Map<number, boolean>();
  const isFeasible = (triple: Triple): boolean => {
    const bound = triple.filter(([column]) => column < columns.beginnings[0]!.length);
    const key = keyOf(bound);
    if (!known.has(key)) known.set(key, beginningsWith(columns, bound).length > 0);
    return known.get(key)!;
  };
  const triples = columns.together.flatMap((three) =>
    three.reduce<Triple[]>(
      (begun, column) =>
        begun.flatMap((triple) =>
          Array.from({ length: columns.counts[column]! }, (_, value): Triple => [
            ...triple,
            [column, value],
          ]),
        ),
      [[]],
    ),
  );
  return new Map(triples.filter(isFeasible).map((triple) => [keyOf(triple), triple]));
}

function beginningsWith({ beginnings }: Columns, triple: Triple): readonly CoverRow[] {
  return beginnings.filter((row) =>
    triple.every(([column, value]) => column >= row.length || row[column] === value),
  );
}

interface Drawing {
  readonly triple: Triple;
  readonly matching: readonly CoverRow[];
  readonly random: Random;
}

/** A row that has the triple. */
function drawRow({ counts }: Columns, { triple, matching, random }: Drawing): CoverRow {
  const begun = matching[random.below(matching.length)]!;
  const row = counts.map((count, column) => begun[column] ?? random.below(count));
  for (const [column, value] of triple) row[column] = value;
  return row;
}

const keyOf = (triple: Triple): number =>
  triple.reduce(
    (key, [column, value]) => (key * MOST_VALUES + column + 1) * MOST_VALUES + value,
    0,
  );
