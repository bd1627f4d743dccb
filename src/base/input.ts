// What came from outside, read once where it comes in: a value of the right type and in its range,
// or bad input at its path. Whatever is inside of such a door may rely on types.

import { BadInput, readName } from "./bad-input.ts";

/** Refuses a value that is not as it should be. */
export type Check = (path: string, value: unknown) => void;

/** Both ends are allowed. */
export interface Range<T> {
  readonly from: T;
  readonly to: T;
}

/** A whole number, as a number. */
export function readInteger(path: string, value: unknown, { from, to }: Range<number>): number {
  if (Number.isInteger(value) && (value as number) >= from && (value as number) <= to) {
    return value as number;
  }
  throw new BadInput(path, value, `a whole number from ${from} to ${to}`);
}

/** A number, whole or not. */
function readNumber(path: string, value: unknown, { from, to }: Range<number>): number {
  if (typeof value === "number" && value >= from && value <= to) return value;
  throw new BadInput(path, value, `a number from ${from} to ${to}`);
}

/** A whole number, as a bigint. */
function readBigint(path: string, value: unknown, { from, to }: Range<bigint>): bigint {
  if (typeof value === "bigint" && value >= from && value <= to) return value;
  throw new BadInput(path, value, `a bigint from ${from}n to 0x${to.toString(16)}n`);
}

function readFlag(path: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new BadInput(path, value, "true or false");
}

export function readFunction(path: string, value: unknown): (...values: never[]) => unknown {
  if (typeof value === "function") return value as (...values: never[]) => unknown;
  throw new BadInput(path, value, "a function");
}

/** An object that is no list; what is in it is not looked at. */
export function readObject(path: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new BadInput(path, value, "an object");
}

export function readList(path: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new BadInput(path, value, "a list");
}

// The same as checks, for tables of what is allowed. Scripts call through them all the time: what
// is right costs a comparison, and makes no object and no text.

export const integer = (from: number, to: number): Check => {
  const range = { from, to };
  return (path, value) => void readInteger(path, value, range);
};

export const number = (from: number, to: number): Check => {
  const range = { from, to };
  return (path, value) => void readNumber(path, value, range);
};

export const bigint = (from: bigint, to: bigint): Check => {
  const range = { from, to };
  return (path, value) => void readBigint(path, value, range);
};

/** It is read where it is used. */
export const anything: Check = () => {};

export const flag: Check = readFlag;

export const choice =
  (...names: readonly string[]): Check =>
  (path, value) => {
    if (!names.includes(value as string)) readName(path, value, names);
  };

export const optional =
  (check: Check): Check =>
  (path, value) => {
    if (value !== undefined) check(path, value);
  };

export const listOf =
  (check: Check, { from, to }: Range<number>): Check =>
  (path, value) => {
    const list = readList(path, value);
    readInteger(`${path}.length`, list.length, { from, to });
    for (const [index, one] of list.entries()) check(`${path}[${index}]`, one);
  };

/** An object with these fields. What else it has, nobody looks at. */
export function fields(checks: Readonly<Record<string, Check>>): Check {
  const names = Object.keys(checks);
  // Most are asked for at one path.
  let known = "";
  let paths: readonly string[] = [];
  return (path, value) => {
    const object = readObject(path, value);
    if (path !== known) {
      paths = names.map((name) => `${path}.${name}`);
      known = path;
    }
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      checks[name]!(paths[index]!, object[name]);
    }
  };
}

/** The same and no others: a misspelt one that may be left out would go unnoticed. */
export function onlyFields(checks: Readonly<Record<string, Check>>): Check {
  const names = Object.keys(checks);
  const allowed = new Set(names);
  const all = fields(checks);
  return (path, value) => {
    for (const name in readObject(path, value)) {
      if (!allowed.has(name)) readName(path, name, names);
    }
    all(path, value);
  };
}
