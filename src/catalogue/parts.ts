// The parts of code from outside: which exports of a file are what, and what is missing or wrong in
// one, told before anything runs.

import { BadInput, readName } from "../base/bad-input.ts";
import type { Checker } from "../check/checker.ts";
import type { CheckerFactory } from "../check/checkers.ts";
import { EVENT_KINDS } from "../kernel/operation/event.ts";
import type { Preset } from "../presets/preset.ts";
import { checkName, type Extension, isBuiltIn, WORD_FOR } from "./catalogue.ts";
import { describable } from "./cpu-file.ts";
import {
  type Field,
  type Fields,
  type FieldType,
  type PartKind,
  type PartOf,
  SHAPES,
} from "./shapes.ts";

const KINDS = Object.keys(SHAPES) as readonly PartKind[];

type Part = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Part =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Which part an exported value is meant to be; undefined: none of these. */
function kindOf(value: unknown): PartKind | undefined {
  if (!isObject(value) || "prepare" in value) return undefined;
  return KINDS.find((kind) => SHAPES[kind].marks.some((mark) => mark in value));
}

/** The parts among what a file exports, each checked. */
export function partsOf(exported: Readonly<Record<string, unknown>>, path: string): Extension {
  const parts: Partial<Record<PartKind, unknown[]>> = {};
  // A named export may be the default one as well.
  for (const value of new Set(Object.values(exported))) {
    const kind = kindOf(value);
    if (kind !== undefined) (parts[kind] ??= []).push(checkedPart(kind, value, path));
  }
  return parts as Extension;
}

/** One part, with hooks that say so when they are no generators; bad input where it is wrong. */
export function checkedPart<K extends PartKind>(kind: K, value: unknown, path: string): PartOf<K> {
  if (!isObject(value))
    throw new BadInput(path, value, `give a ${WORD_FOR[kind]}: ${listed(kind)}`);
  if (kind !== "checkers" && isBuiltIn(kind, value)) return value as never;
  const { required, optional }: { required: Fields; optional: Fields } = SHAPES[kind];
  const name = typeof value["name"] === "string" ? value["name"] : WORD_FOR[kind];
  for (const [field, type] of Object.entries(required)) {
    const hint = kind === "protocols" && field === "traits" ? "spread LINUX_5_13_TRAITS, or " : "";
    checkField(value[field], type, `${path}: ${name}.${field}`, hint);
  }
  for (const [field, type] of Object.entries(optional)) {
    if (value[field] !== undefined) checkField(value[field], type, `${path}: ${name}.${field}`);
  }
  checkName(name, path);
  const at = `${path}: ${name}`;
  const part = asPlainObject(value, { ...required, ...optional }, at);
  return finished(kind, part, path, at) as never;
}

/** The part after what only its kind can have wrong was looked at. */
function finished(kind: PartKind, part: Part, path: string, at: string): unknown {
  switch (kind) {
    case "mutations":
      return checkingResults(part, at);
    case "checkers": {
      const create = part["create"] as CheckerFactory["create"];
      return { ...part, create: (...of: Parameters<typeof create>) => madeBy(create(...of), at) };
    }
    case "cpus":
      return describable(part as unknown as Preset, path);
    case "protocols":
    case "policies":
    case "workloads":
      return part;
  }
}

/** A mutation whose kernels are looked at as those are that a file exports. */
function checkingResults(part: Part, at: string): Part {
  const kinds = { protocol: "protocols", policy: "policies" } as const;
  const checking: Record<string, unknown> = { ...part };
  for (const [field, kind] of Object.entries(kinds)) {
    const mutate = part[field];
    if (typeof mutate !== "function") continue;
    checking[field] = (right: unknown): unknown =>
      checkedPart(kind, mutate(right), `${at}.${field}`);
  }
  return checking;
}

/** What a checker's `create` has returned. */
function madeBy(checker: unknown, at: string): Checker {
  const path = `${at}.create`;
  if (!isObject(checker)) {
    throw new BadInput(path, printable(checker), "return an object with looksAt, observe, save");
  }
  checkField(checker["looksAt"], "object", `${path}: looksAt`);
  for (const [event, looks] of Object.entries(checker["looksAt"] as Part)) {
    readName(`${path}: looksAt`, event, EVENT_KINDS);
    checkField(looks, "function", `${path}: looksAt.${event}`);
  }
  checkField(checker["observe"], "function", `${path}: observe`);
  checkField(checker["save"], "function", `${path}: save`);
  return checker as unknown as Checker;
}

const listed = (kind: PartKind): string =>
  `an object with ${Object.keys(SHAPES[kind].required).join(", ")}`;

/** What to say where a file exports nothing of the kind that was asked for. */
export const missingPart = (kind: PartKind): string =>
  `exports no ${WORD_FOR[kind]}: ${listed(kind)}`;

const REMEDIES: Readonly<Record<FieldType, string>> = {
  text: "write a text",
  boolean: "write true or false",
  function: "write a function",
  hook: "write a generator function, as in *flushRange(cpu, request) { ... }",
  class: "write a class",
  object: "write an object",
};

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
const isFunction = (value: unknown): boolean => typeof value === "function";

const IS_RIGHT: Readonly<Record<FieldType, (value: unknown) => boolean>> = {
  text: isText,
  boolean: (value) => typeof value === "boolean",
  function: isFunction,
  hook: isFunction,
  class: isFunction,
  object: isObject,
};

const isList = (type: Field): type is readonly string[] => Array.isArray(type);

/** @param hint - what else would mend it */
function checkField(value: unknown, type: Field, path: string, hint = ""): void {
  if (typeof type === "string") {
    if (!IS_RIGHT[type](value)) throw new BadInput(path, printable(value), hint + REMEDIES[type]);
  } else if (isList(type)) {
    if (!type.includes(value as string))
      throw new BadInput(path, printable(value), `${hint}write one of ${type.join(", ")}`);
  } else {
    checkField(value, "object", path, hint);
    for (const [field, each] of Object.entries(type)) {
      checkField((value as Part)[field], each, `${path}.${field}`, hint);
    }
  }
}

/** In words where it is no plain value: it goes from a worker thread to this one. */
const printable = (value: unknown): unknown =>
  typeof value === "function" || (typeof value === "object" && value !== null)
    ? Object.prototype.toString.call(value)
    : value;

/**
 * The same as a plain object, a class's methods included, which others may spread. Its functions
 * know the object that they are of.
 */
function asPlainObject(part: Part, fields: Fields, path: string): Part {
  const plain: Record<string, unknown> = {};
  for (const key of keysOf(part)) plain[key] = part[key];
  for (const [field, type] of Object.entries(fields)) {
    const own = plain[field];
    if (typeof type === "object" && !isList(type) && isObject(own)) {
      plain[field] = asPlainObject(own, type, `${path}.${field}`);
    }
    if (typeof own !== "function") continue;
    if (type === "function") plain[field] = own.bind(part);
    if (type !== "hook") continue;
    const hook = (...args: readonly unknown[]): unknown =>
      coroutineOf(own.apply(part, args), `${path}.${field}`);
    // By what its generators inherit from, schedules know them by the hook's name.
    Object.defineProperty(hook, "prototype", { value: own.prototype });
    plain[field] = hook;
  }
  return plain;
}

/** What a function returned that must be a generator function: kernel code does `yield*` of it. */
export function coroutineOf<Code>(code: Code, path: string): Code {
  if (isObject(code) && typeof code["next"] === "function" && Symbol.iterator in code) return code;
  throw new BadInput(path, printable(code), `returned no coroutine; ${REMEDIES.hook}`);
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
