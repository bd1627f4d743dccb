// The second kind of wrong: something a person gave us. One line: path, value, remedy. Exit code 2.

import { printable } from "./printable.ts";

/** Bad input: where it was found, what was found there, and what to write instead. */
export class BadInput extends Error {
  constructor(
    readonly path: string,
    readonly value: unknown,
    readonly remedy: string,
  ) {
    super(printable(`${path}: ${describeValue(value)}: ${remedy}`));
    this.name = "BadInput";
  }
}

/** Bad input as one thread tells another, which not every value gets to. */
export interface ToldBadInput {
  readonly kind: "bad-input";
  readonly path: string;
  readonly value: unknown;
  readonly remedy: string;
}

export function toldBadInput({ path, value, remedy }: BadInput): ToldBadInput {
  try {
    return { kind: "bad-input", path, value: structuredClone(value), remedy };
  } catch {
    return { kind: "bad-input", path, value: Object.prototype.toString.call(value), remedy };
  }
}

/** The same in the thread that was told. */
export const heardBadInput = ({ path, value, remedy }: ToldBadInput): BadInput =>
  new BadInput(path, value, remedy);

/** The most of a value that is shown. */
const SHOWN = 80;

/** The value as a person would write it, whatever it is: this throws nothing. */
function describeValue(value: unknown): string {
  if (value === undefined) return "missing";
  const text = typeof value === "string" ? `"${value}"` : writtenOut(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN - 3)}...` : text;
}

function writtenOut(value: unknown): string {
  // JSON would write these as null, or not at all.
  if (["bigint", "number", "symbol", "function"].includes(typeof value)) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Array.isArray(value) ? "a list" : "an object"; // circular, or too deep
  }
}

/** The one of `names` that `value` is; else bad input at `path`, which says what comes close. */
export function readName<T extends string>(path: string, value: unknown, names: readonly T[]): T {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  const remedy = typeof value === "string" ? remedyForName(value, names) : listOf(names);
  throw new BadInput(path, value, remedy);
}

/** Bad input at `path` where an object has a key that is none of `names`. */
export function refuseUnknownKeys(of: object, names: readonly string[], path: string): void {
  for (const key of Object.keys(of)) readName(path, key, names);
}

/** The known name that `name` begins, or else comes close to (edit distance at most 3). */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const begun = known.filter((candidate) => name.length > 1 && candidate.startsWith(name));
  if (begun.length === 1) return begun[0];
  let best: string | undefined;
  let bestDistance = 4;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** "did you mean x?" where a name comes close, and always the list of what is known. */
export function remedyForName(name: string, known: readonly string[]): string {
  const close = closestName(name, known);
  const list = listOf(known);
  return close === undefined ? list : `did you mean ${close}? ${list}`;
}

const listOf = (names: readonly string[]): string => `one of ${names.join(", ")}`;

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, substitution));
    }
    previous = row;
  }
  return previous[b.length]!;
}
