// What each part of code from outside is made of, by kind.

import type { CheckerFactory } from "../check/checkers.ts";
import type { Verdict } from "../base/verdict.ts";
import type { LazyReference, LazyTraits } from "../kernel/state/lazy-policy.ts";
import type { ProtocolTraits } from "../kernel/state/protocol-traits.ts";
import type { Entries } from "./catalogue.ts";

export type PartKind = keyof Entries | "checkers";

export type PartOf<K extends PartKind> = K extends keyof Entries ? Entries[K] : CheckerFactory;

/** A class keeps its identity, by which the kernel finds what it has made of it. */
export type FieldType = "text" | "boolean" | "function" | "hook" | "class" | "object";

/** A type, the texts that it may be, or an object of such fields. */
export type Field = FieldType | readonly string[] | Fields;

export interface Fields {
  readonly [name: string]: Field;
}

type Optional<T> = { [F in keyof T]-?: object extends Pick<T, F> ? F : never }[keyof T];

/** What a part is made of: a field that is in its type and not here does not compile. */
interface Shape<T> {
  /** A value that has one of these is meant as such a part. */
  readonly marks: readonly string[];
  readonly required: Readonly<Record<Exclude<keyof T, Optional<T>>, Field>>;
  readonly optional: Readonly<Record<Optional<T>, Field>>;
}

const NAMED = { name: "text", summary: "text", source: "text" } as const;

const asHooks = <const F extends string>(names: readonly F[]): Readonly<Record<F, "hook">> =>
  Object.fromEntries(names.map((name) => [name, "hook"])) as Record<F, "hook">;

/** Every member of a union of texts: one that is forgotten does not compile. */
const oneOf = <T extends string>(all: Readonly<Record<T, true>>): readonly T[] =>
  Object.keys(all) as T[];

type FieldsOf<T> = Readonly<Record<keyof T, Field>>;

const PROTOCOL_TRAITS: FieldsOf<ProtocolTraits> = {
  pcid: oneOf<ProtocolTraits["pcid"]>({ none: true, optional: true, required: true }),
  isolation: oneOf<ProtocolTraits["isolation"]>({ none: true, "kernel-pcids": true, full: true }),
  invlpgb: oneOf<ProtocolTraits["invlpgb"]>({ unknown: true, "when-enabled": true }),
  vmaLocks: "boolean",
  vendor: oneOf<ProtocolTraits["vendor"]>({ any: true, Intel: true }),
  host: oneOf<ProtocolTraits["host"]>({ none: true, kvm: true, "kvm-without-mwait": true }),
  smp: oneOf<ProtocolTraits["smp"]>({ "4.8": true, "4.15": true, "5.13": true }),
  switchesFrom: oneOf<ProtocolTraits["switchesFrom"]>({ active_mm: true, loaded_mm: true }),
  lazyWithPcid: oneOf<ProtocolTraits["lazyWithPcid"]>({ keeps: true, leaves: true }),
  freedTables: oneOf<ProtocolTraits["freedTables"]>({
    "end-lazy-use": true,
    "leave-lazy-cpus": true,
  }),
  batchedUnmaps: oneOf<ProtocolTraits["batchedUnmaps"]>({
    unnoted: true,
    flagged: true,
    counted: true,
  }),
  flushTlbRange: oneOf<ProtocolTraits["flushTlbRange"]>({
    "frees-no-tables": true,
    "frees-tables": true,
  }),
  mprotect: oneOf<ProtocolTraits["mprotect"]>({ "flushes-areas": true, gathers: true }),
  emptyTables: oneOf<ProtocolTraits["emptyTables"]>({ kept: true, freed: true }),
  gatherBatches: oneOf<ProtocolTraits["gatherBatches"]>({ filled: true, "one-slot-left": true }),
  gathers: oneOf<ProtocolTraits["gathers"]>({ counted: true, uncounted: true }),
  maskOfPrevious: oneOf<ProtocolTraits["maskOfPrevious"]>({
    "cleared-before-cr3": true,
    "cleared-after-cr3": true,
    kept: true,
  }),
  initMmMask: oneOf<ProtocolTraits["initMmMask"]>({ kept: true, none: true }),
  clearsIsLazy: oneOf<ProtocolTraits["clearsIsLazy"]>({ always: true, "when-set": true }),
  kernelToKernel: oneOf<ProtocolTraits["kernelToKernel"]>({
    "counted-anew": true,
    "goes-along": true,
  }),
  isLazyBeside: oneOf<ProtocolTraits["isLazyBeside"]>({
    nothing: true,
    loaded_mm: true,
    call_single_queue: true,
  }),
  accessedBits: oneOf<ProtocolTraits["accessedBits"]>({ ignored: true, decide: true }),
  acknowledges: oneOf<ProtocolTraits["acknowledges"]>({
    "after-flush": true,
    "before-flush": true,
  }),
  userFlush: oneOf<ProtocolTraits["userFlush"]>({ "at-once": true, "on-return": true }),
  copiedPage: oneOf<ProtocolTraits["copiedPage"]>({ invlpg: true, write: true }),
};

const LAZY_TRAITS: FieldsOf<LazyTraits> = {
  aliveBy: oneOf<LazyTraits["aliveBy"]>({
    count: true,
    mask: true,
    "exit-flush": true,
    nothing: true,
    "not-borrowed": true,
  }),
  previousMm: oneOf<LazyTraits["previousMm"]>({ named: true, unnamed: true }),
  era: oneOf<LazyTraits["era"]>({ any: true, active_mm: true }),
};

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
    required: { ...NAMED, traits: PROTOCOL_TRAITS, ...PROTOCOL_HOOKS },
    optional: {
      ...asHooks(["leaveMm", "installLeaf", "serveInterrupt", "destroyContext"]),
      batchedUnmap: asHooks(["add", "flush"]),
      state: "class",
      tick: { ...asHooks(["serve"]), keepsIdleTicking: "function" },
      lazyUnmap: asHooks(["canPostpone", "postpone"]),
      batchedCalls: asHooks(["begin", "end"]),
    },
  },
  policies: {
    marks: Object.keys(POLICY_HOOKS),
    required: {
      ...NAMED,
      lifetime: "text",
      expected: oneOf<Verdict>({ ok: true, violation: true }),
      lazyReference: oneOf<LazyReference>({ none: true, "active-mm": true, "drop-mm": true }),
      traits: LAZY_TRAITS,
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
