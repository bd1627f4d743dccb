// What came from outside, read once where it comes in: a value of the right type and in its range,
// or bad input at its path. Whatever is inside of such a door may rely on types.

import { BadInput } from "./bad-input.ts";

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
