// What code from outside must look like, part by part: which exports of a file are what, and what
// is missing or wrong in one, told before anything runs.

import { BadInput } from "../base/bad-input.ts";
import type { CheckerFactory } from "../check/checkers.ts";
import { LINUX_5_13_TRAITS } from "../kernel/state/protocol-traits.ts";
import { type Entries, type Extension, WORD_FOR } from "./catalogue.ts";

export type PartKind = keyof Entries | "checkers";

type FieldType = "text" | "function" | "hook" | "object" | "verdict";

interface Shape {
  /** A value that has one of these is meant as such a part. */
  readonly marks: readonly string[];
  readonly required: Readonly<Record<string, FieldType>>;
  /** Generator functions that need not be there. */
  readonly hooks: readonly string[];
}

const NAMED = { name: "text", summary: "text", source: "text" } as const;

const POLICY_HOOKS = [
  "userToKernel",
  "kernelToKernel",
  "userToUser",
  "kernelToUser",
  "finishSwitch",
  "exitMm",
  "execMm",
  "useMm",
  "unuseMm",
  "lazyFlushed",
  "afterExitMmap",
  "forceInitMm",
  "finishCpu",
  "beforeFree",
];

const asHooks = (names: readonly string[]): Record<string, FieldType> =>
  Object.fromEntries(names.map((name) => [name, "hook" as const]));

const PROTOCOL_HOOKS = ["switchMm", "enterLazy", "flushRange", "flushKernelRange"];

const SHAPES: Readonly<Record<PartKind, Shape>> = {
  protocols: {
    marks: PROTOCOL_HOOKS,
    required: { ...NAMED, traits: "object", ...asHooks(PROTOCOL_HOOKS) },
    hooks: ["leaveMm", "installLeaf", "serveInterrupt", "destroyContext"],
  },
  policies: {
    marks: POLICY_HOOKS,
    required: {
      ...NAMED,
      lifetime: "text",
      expected: "verdict",
      lazyReference: "text",
      traits: "object",
      ...asHooks(POLICY_HOOKS),
    },
    hooks: [],
  },
  workloads: {
    marks: ["program"],
    required: { name: "text", summary: "text", program: "function" },
    hooks: [],
  },
  mutations: { marks: ["protocol", "policy", "shows"], required: NAMED, hooks: [] },
  checkers: {
    marks: ["create"],
    required: { name: "text", summary: "text", create: "function" },
    hooks: [],
  },
  cpus: {
    marks: ["microarchitecture"],
    required: { name: "text", tlb: "object", topology: "object" },
    hooks: [],
  },
};

const KINDS = Object.keys(SHAPES) as readonly PartKind[];

const NAME = /^[a-z0-9]+([.-][a-z0-9]+)*$/;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Which part an exported value is meant to be; undefined: none of these. */
function kindOf(value: unknown): PartKind | undefined {
  if (!isObject(value) || "prepare" in value) return undefined;
  return KINDS.find((kind) => SHAPES[kind].marks.some((mark) => mark in value));
}

/** The parts among what a file exports, each checked. */
export function partsOf(exported: Readonly<Record<string, unknown>>, path: string): Extension {
  const parts: Partial<Record<PartKind, unknown[]>> = {};
  for (const value of Object.values(exported)) {
    const kind = kindOf(value);
    if (kind !== undefined) (parts[kind] ??= []).push(checkedPart(kind, value, path));
  }
  return parts as Extension;
}

/** One part, with hooks that say so when they are no generators; bad input where it is wrong. */
export function checkedPart<K extends PartKind>(
  kind: K,
  value: unknown,
  path: string,
): K extends keyof Entries ? Entries[K] : CheckerFactory {
  const { required, hooks } = SHAPES[kind];
  if (!isObject(value))
    throw new BadInput(path, value, `give a ${WORD_FOR[kind]}: ${listed(kind)}`);
  const name = typeof value["name"] === "string" ? value["name"] : WORD_FOR[kind];
  for (const [field, type] of Object.entries(required)) {
    checkField(value[field], type, `${path}: ${name}.${field}`);
  }
  if (!NAME.test(name)) {
    throw new BadInput(`${path}: name`, name, "small letters and digits, with - or . between");
  }
  if (kind === "protocols") checkTraits(value["traits"], `${path}: ${name}.traits`);
  const generators = [...hooks, ...Object.keys(required).filter((key) => required[key] === "hook")];
  return watchingHooks(value, generators, `${path}: ${name}`) as never;
}

const listed = (kind: PartKind): string =>
  `an object with ${Object.keys(SHAPES[kind].required).join(", ")}`;

/** What to say where a file exports nothing of the kind that was asked for. */
export const missingPart = (kind: PartKind): string =>
  `exports no ${WORD_FOR[kind]}: ${listed(kind)}`;

const REMEDIES: Readonly<Record<FieldType, string>> = {
  text: "write a text",
  function: "write a function",
  hook: "write a generator function, as in *flushRange(cpu, request) { ... }",
  object: "write an object",
  verdict: "write ok or violation",
};

function checkField(value: unknown, type: FieldType, path: string): void {
  const isRight = {
    text: () => typeof value === "string" && value !== "",
    function: () => typeof value === "function",
    hook: () => typeof value === "function",
    object: () => isObject(value),
    verdict: () => value === "ok" || value === "violation",
  }[type]();
  if (!isRight) throw new BadInput(path, printable(value), REMEDIES[type]);
}

const printable = (value: unknown): unknown => (typeof value === "function" ? "a function" : value);

function checkTraits(traits: unknown, path: string): void {
  for (const [trait, example] of Object.entries(LINUX_5_13_TRAITS)) {
    const value = (traits as Readonly<Record<string, unknown>>)[trait];
    if (typeof value === typeof example) continue;
    const remedy = `spread LINUX_5_13_TRAITS, or write it as ${JSON.stringify(example)}`;
    throw new BadInput(`${path}.${trait}`, value, remedy);
  }
}

/**
 * The same as a plain object, a class's methods included, with hooks whose result is looked at:
 * kernel code does `yield*` of it.
 */
function watchingHooks(
  part: Readonly<Record<string, unknown>>,
  hooks: readonly string[],
  path: string,
): Readonly<Record<string, unknown>> {
  const watched: Record<string, unknown> = {};
  for (const key of keysOf(part)) watched[key] = part[key];
  for (const hook of hooks) {
    const own = watched[hook];
    if (typeof own !== "function") continue;
    const watching = (...args: readonly unknown[]): unknown => {
      const code: unknown = own.apply(part, args);
      if (isObject(code) && typeof code["next"] === "function") return code;
      const remedy = `returned no coroutine; ${REMEDIES.hook}`;
      throw new BadInput(`${path}.${hook}`, printable(code), remedy);
    };
    // By what its generators inherit from, schedules know them by the hook's name.
    Object.defineProperty(watching, "prototype", { value: own.prototype });
    watched[hook] = watching;
  }
  return watched;
}

/** The names of its properties, those of its classes included. */
function keysOf(part: object): ReadonlySet<string> {
  const keys = new Set<string>();
  for (let layer = part; layer !== Object.prototype && layer !== null;) {
    for (const key of Object.getOwnPropertyNames(layer)) if (key !== "constructor") keys.add(key);
    layer = Object.getPrototypeOf(layer) as object;
  }
  return keys;
}
