// What each part of code from outside is made of, by kind.

import type { CheckerFactory } from "../check/checkers.ts";
import type { Entries } from "./catalogue.ts";

export type PartKind = keyof Entries | "checkers";

export type PartOf<K extends PartKind> = K extends keyof Entries ? Entries[K] : CheckerFactory;

/** A class keeps its identity, by which the kernel finds what it has made of it. */
export type FieldType = "text" | "boolean" | "function" | "hook" | "class" | "object" | "verdict";

export type Fields = Readonly<Record<string, FieldType>>;

type Optional<T> = { [F in keyof T]-?: object extends Pick<T, F> ? F : never }[keyof T];

/** What a part is made of: a field that is in its type and not here does not compile. */
interface Shape<T> {
  /** A value that has one of these is meant as such a part. */
  readonly marks: readonly string[];
  readonly required: Readonly<Record<Exclude<keyof T, Optional<T>>, FieldType>>;
  readonly optional: Readonly<Record<Optional<T>, FieldType>>;
}

const NAMED = { name: "text", summary: "text", source: "text" } as const;

const asHooks = <const F extends string>(names: readonly F[]): Readonly<Record<F, "hook">> =>
  Object.fromEntries(names.map((name) => [name, "hook"])) as Record<F, "hook">;

const POLICY_HOOKS = asHooks([
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
]);

const PROTOCOL_HOOKS = asHooks(["switchMm", "enterLazy", "flushRange", "flushKernelRange"]);

export const SHAPES: { readonly [K in PartKind]: Shape<PartOf<K>> } = {
  protocols: {
    marks: Object.keys(PROTOCOL_HOOKS),
    required: { ...NAMED, traits: "object", ...PROTOCOL_HOOKS },
    optional: {
      ...asHooks(["leaveMm", "installLeaf", "serveInterrupt", "destroyContext"]),
      batchedUnmap: "object",
      state: "class",
      tick: "object",
      lazyUnmap: "object",
      batchedCalls: "object",
    },
  },
  policies: {
    marks: Object.keys(POLICY_HOOKS),
    required: {
      ...NAMED,
      lifetime: "text",
      expected: "verdict",
      lazyReference: "text",
      traits: "object",
      ...POLICY_HOOKS,
    },
    optional: { kthreadsKeepReference: "boolean" },
  },
  workloads: {
    marks: ["program"],
    required: { name: "text", summary: "text", program: "function" },
    optional: {},
  },
  mutations: {
    marks: ["protocol", "policy", "shows"],
    required: NAMED,
    optional: { scenario: "object", shows: "function", protocol: "function", policy: "function" },
  },
  checkers: {
    marks: ["create"],
    required: { name: "text", summary: "text", create: "function" },
    optional: {},
  },
  cpus: {
    marks: ["microarchitecture"],
    required: {
      name: "text",
      vendor: "text",
      microarchitecture: "text",
      sku: "text",
      frequency: "object",
      physicalAddressBits: "object",
      features: "object",
      topology: "object",
      tlb: "object",
      structureCaches: "object",
      caches: "object",
      memory: "object",
      line: "object",
      instruction: "object",
      interrupt: "object",
      idle: "object",
    },
    optional: { broadcast: "object" },
  },
};
