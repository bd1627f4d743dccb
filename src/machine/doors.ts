// What anybody may call, with every argument looked at first. Code from outside comes in here; the
// kernel's executors, which call millions of times a second and are right by their types, do not.

import type { Check } from "../base/input.ts";

/** A trusted caller is right by its types: nothing is checked. */
export type Callers = "anybody" | "trusted";

export interface MachineOptions {
  /** Anybody unless given: bad arguments are bad input, at a price of each call. */
  readonly callers?: Callers;
  /** Whether a restore of what nobody has used is free, at a price of each call. */
  readonly watch?: boolean;
}

/** What is checked of a call: each argument by its name, in order, and then what goes together. */
export interface Door {
  readonly arguments: Readonly<Record<string, Check>>;
  readonly together?: (...given: never[]) => void;
}

/** The names of the functions that an object has for everybody. */
type FunctionsOf<T> = {
  [Name in keyof T]: T[Name] extends (...given: never[]) => unknown ? Name : never;
}[keyof T];

/** A door for each function: one that is forgotten does not compile. */
export type Doors<T> = Readonly<Record<FunctionsOf<T>, Door>>;

type AnyFunction = (...given: readonly unknown[]) => unknown;

/** From now on, whoever calls a function of `target` comes through its door. */
export function guard<T extends object>(target: T, name: string, doors: Doors<T>): void {
  for (const [method, door] of Object.entries<Door>(doors)) {
    const inner = (target as Readonly<Record<string, AnyFunction>>)[method]!;
    Object.assign(target, { [method]: guarded(`${name}.${method}`, door, inner) });
  }
}

/** The function, and every argument of a call to it checked; no function takes more than five. */
function guarded(
  name: string,
  { arguments: checks, together }: Door,
  inner: AnyFunction,
): AnyFunction {
  const all = Object.values(checks);
  const paths = Object.keys(checks).map((argument) => `${name}(${argument})`);
  const also = together as AnyFunction | undefined;
  return function (this: unknown, a, b, c, d, e) {
    const given = [a, b, c, d, e];
    for (let index = 0; index < all.length; index++) all[index]!(paths[index]!, given[index]);
    if (also !== undefined) also(a, b, c, d, e);
    return inner.call(this, a, b, c, d, e);
  };
}
