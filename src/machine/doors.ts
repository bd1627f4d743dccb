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
    const inner = (target as Readonly<Record<string, AnyFunction>>)[method]!.bind(target);
    Object.assign(target, { [method]: guarded(`${name}.${method}`, door, inner) });
  }
}

/** The function, and every argument of a call to it checked. */
function guarded(name: string, { arguments: checks, together }: Door, inner: AnyFunction) {
  const all = Object.entries(checks).map(([argument, check]) => ({
    path: `${name}(${argument})`,
    check,
  }));
  const also = together as AnyFunction | undefined;
  return (...given: readonly unknown[]): unknown => {
    for (const [index, { path, check }] of all.entries()) check(path, given[index]);
    also?.(...given);
    return inner(...given.slice(0, all.length));
  };
}
