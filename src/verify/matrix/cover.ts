// A covering array: few rows in which all values of certain columns come together. Which rows
// may be is given for the first columns; the rest is free. Greedy: a row is made for a tuple that
// is still missing, and is the one of some drawn ones that has the most missing tuples.

import type { Random } from "../../base/random.ts";

/** The index of a value, for each column. */
export type CoverRow = readonly number[];

export interface Columns {
  /** How many values each column has. */
  readonly counts: readonly number[];
  /** Sets of columns, whose values all are to come together. */
  readonly together: readonly (readonly number[])[];
  /** What the first columns may hold. */
  readonly beginnings: readonly CoverRow[];
}

const DRAWN_FOR_A_ROW = 16;

export function cover(columns: Columns, random: Random): readonly CoverRow[] {
  const { counts, together } = columns;
  const tuples = new Tuples(columns);
  const rows: CoverRow[] = [];
  for (const [place, among] of together.entries()) {
    const beginnings = new Beginnings(columns, among);
    for (const wanted of choicesOf(counts, among)) {
      const matching = beginnings.with(wanted);
      if (matching === undefined || tuples.isCovered(place, wanted)) continue;
      let [best, bestRow]: [number, CoverRow] = [0, []];
      for (let tries = 0; tries < DRAWN_FOR_A_ROW; tries++) {
        const row = drawRow(counts, { among, wanted, matching, random });
        const gained = tuples.countMissing(row);
        if (gained > best) [best, bestRow] = [gained, row];
      }
      tuples.cover(bestRow);
      rows.push(bestRow);
    }
  }
  return rows;
}

/** Every choice of values in some columns, as a row that has no others. */
function* choicesOf(counts: readonly number[], among: readonly number[]): Generator<CoverRow> {
  const [column, ...others] = among;
  if (column === undefined) return yield [];
  for (let value = 0; value < counts[column]!; value++) {
    for (const choice of choicesOf(counts, others)) {
      const row = [...choice];
      row[column] = value;
      yield row;
    }
  }
}

/** Which tuples some row has. They are numbered by their columns, and then by their values. */
class Tuples {
  private readonly covered: Uint8Array;
  /** The number of the first tuple of each set of columns. */
  private readonly firsts: readonly number[];

  constructor(private readonly columns: Columns) {
    let count = 0;
    this.firsts = columns.together.map((among) => {
      const first = count;
      count += among.reduce((product, column) => product * columns.counts[column]!, 1);
      return first;
    });
    this.covered = new Uint8Array(count);
  }

  isCovered(place: number, row: CoverRow): boolean {
    return this.covered[this.numberOf(place, row)] !== 0;
  }

  /** How many tuples of a row no row has yet. */
  countMissing(row: CoverRow): number {
    let missing = 0;
    for (let place = 0; place < this.firsts.length; place++) {
      missing += 1 - this.covered[this.numberOf(place, row)]!;
    }
    return missing;
  }

  cover(row: CoverRow): void {
    for (let place = 0; place < this.firsts.length; place++) {
      this.covered[this.numberOf(place, row)] = 1;
    }
  }

  private numberOf(place: number, row: CoverRow): number {
    const { counts, together } = this.columns;
    return this.firsts[place]! + valuesAsNumber(counts, together[place]!, row);
  }
}

/** What rows may begin with, by the values of some columns. */
class Beginnings {
  private readonly bound: readonly number[];
  private readonly byValues = new Map<number, CoverRow[]>();

  constructor(
    private readonly columns: Columns,
    among: readonly number[],
  ) {
    const { counts, beginnings } = columns;
    this.bound = among.filter((column) => column < beginnings[0]!.length);
    for (const row of beginnings) {
      const values = valuesAsNumber(counts, this.bound, row);
      const found = this.byValues.get(values);
      if (found === undefined) this.byValues.set(values, [row]);
      else found.push(row);
    }
  }

  /** Those that have a row's values; undefined if there is none. */
  with(row: CoverRow): readonly CoverRow[] | undefined {
    return this.byValues.get(valuesAsNumber(this.columns.counts, this.bound, row));
  }
}

/** A number of its own for each choice of values in these columns. */
function valuesAsNumber(
  counts: readonly number[],
  among: readonly number[],
  row: CoverRow,
): number {
  let number = 0;
  for (const column of among) number = number * counts[column]! + row[column]!;
  return number;
}

interface Drawing {
  readonly among: readonly number[];
  /** Values of the columns that come together. */
  readonly wanted: CoverRow;
  readonly matching: readonly CoverRow[];
  readonly random: Random;
}

/** A row that has the values that are wanted. */
function drawRow(
  counts: readonly number[],
  { among, wanted, matching, random }: Drawing,
): CoverRow {
  const begun = matching[random.below(matching.length)]!;
  const row = counts.map((count, column) => begun[column] ?? random.below(count));
  for (const column of among) row[column] = wanted[column]!;
  return row;
}
