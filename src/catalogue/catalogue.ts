// What a run or an exploration can name: the package's own protocols, lazy policies, workloads,
// mutations and CPUs, and those that somebody brought from outside.

import { BadInput, readName } from "../base/bad-input.ts";
import type { CheckerFactory } from "../check/checkers.ts";
import { lazyPolicies } from "../kernel/lazy/policies.ts";
import { MUTATION_NAMES, type MutationName } from "../kernel/operation/mutation.ts";
import { protocols } from "../kernel/shootdown/protocols.ts";
import type { LazyPolicy } from "../kernel/state/lazy-policy.ts";
import type { ShootdownProtocol } from "../kernel/state/shootdown-protocol.ts";
import type { Preset } from "../presets/preset.ts";
import { presets } from "../presets/presets.ts";
import type { Workload } from "../workloads/workload.ts";
import { workloads } from "../workloads/workloads.ts";
import type { Mutation } from "./mutation.ts";
import { MUTATIONS } from "./mutations.ts";

/** What has a name in a catalogue, by kind. */
export interface Entries {
  readonly protocols: ShootdownProtocol;
  readonly policies: LazyPolicy;
  readonly workloads: Workload;
  readonly mutations: Mutation;
  readonly cpus: Preset;
}

export type EntryKind = keyof Entries;

export type Catalogue = {
  readonly [K in EntryKind]: ReadonlyMap<string, Entries[K]>;
} & {
  /** Watch beside the package's own checkers. */
  readonly checkers: readonly CheckerFactory[];
  /** The files that parts are from, in order: what loads them has the same catalogue. */
  readonly files: readonly string[];
};

/** What somebody brings, as values of the library or as the exports of a file. */
export type Extension = {
  readonly [K in EntryKind]?: readonly Entries[K][];
} & {
  readonly checkers?: readonly CheckerFactory[];
};

/** The same as a definition or a call gives it: each part as itself, or by its file. */
export type Brought = {
  readonly [K in Exclude<EntryKind, "workloads">]?: readonly (string | Entries[K])[];
} & {
  readonly checkers?: readonly (string | CheckerFactory)[];
};

/** What one entry of a kind is called. */
export const WORD_FOR: Readonly<Record<EntryKind | "checkers", string>> = {
  protocols: "protocol",
  policies: "lazy policy",
  workloads: "workload",
  mutations: "mutation",
  cpus: "CPU",
  checkers: "checker",
};

const byName = <T extends { readonly name: string }>(all: Iterable<T>): ReadonlyMap<string, T> =>
  new Map([...all].map((one) => [one.name, one]));

export const BUILT_IN: Catalogue = {
  protocols: byName<ShootdownProtocol>(Object.values(protocols)),
  policies: byName<LazyPolicy>(Object.values(lazyPolicies)),
  workloads: byName<Workload>(Object.values(workloads)),
  mutations: byName<Mutation>(MUTATIONS),
  cpus: byName(Object.values(presets)),
  checkers: [],
  files: [],
};

/** The entry called `name`; bad input at `path` where there is none. */
export function entryIn<K extends EntryKind>(
  catalogue: Catalogue,
  kind: K,
  name: string,
  path: string = WORD_FOR[kind],
): Entries[K] {
  const entry = catalogue[kind].get(name) as Entries[K] | undefined;
  return entry ?? entryIn(catalogue, kind, readName(path, name, [...catalogue[kind].keys()]));
}

/** Whether it is the package's own thing of this kind, which has its name already. */
export const isBuiltIn = (kind: EntryKind, value: { readonly name?: unknown }): boolean =>
  BUILT_IN[kind].get(String(value.name)) === value;

/** The catalogue with more in it; bad input at `path` where a name is taken. */
export function extended(catalogue: Catalogue, extension: Extension, path: string): Catalogue {
  const extendedBy = <K extends EntryKind>(kind: K): ReadonlyMap<string, Entries[K]> => {
    const all = new Map<string, Entries[K]>(catalogue[kind] as ReadonlyMap<string, Entries[K]>);
    for (const entry of extension[kind] ?? []) {
      if (isBuiltIn(kind, entry)) continue;
      if (all.has(entry.name) || (kind === "mutations" && entry.name === "none")) {
        const what = `is the name of another ${WORD_FOR[kind]}; take a new one`;
        throw new BadInput(`${path}: name`, entry.name, what);
      }
      all.set(entry.name, entry as Entries[K]);
    }
    return all;
  };
  return {
    protocols: extendedBy("protocols"),
    policies: extendedBy("policies"),
    workloads: extendedBy("workloads"),
    mutations: extendedBy("mutations"),
    cpus: extendedBy("cpus"),
    checkers: [...catalogue.checkers, ...(extension.checkers ?? [])],
    files: catalogue.files,
  };
}

/** The kernel code under test: a protocol and a policy, with the mutation in them. */
export interface KernelUnderTest {
  readonly protocol: ShootdownProtocol;
  readonly policy: LazyPolicy;
  /** The mutation that built-in kernel code is asked for. */
  readonly mutation?: MutationName;
}

export function kernelUnderTest(
  catalogue: Catalogue,
  names: { readonly protocol: string; readonly policy: string; readonly mutation: string },
): KernelUnderTest {
  const protocol = entryIn(catalogue, "protocols", names.protocol);
  const policy = entryIn(catalogue, "policies", names.policy);
  if (names.mutation === "none") return { protocol, policy };
  const mutation = entryIn(catalogue, "mutations", names.mutation);
  const builtIn = MUTATION_NAMES.find((name) => name === mutation.name);
  return {
    protocol: mutation.protocol?.(protocol) ?? protocol,
    policy: mutation.policy?.(policy) ?? policy,
    ...(builtIn !== undefined && { mutation: builtIn }),
  };
}

const NAME = /^[a-z0-9]+([.-][a-z0-9]+)*$/;

/** What a part from the file at `path` is called can stand on a command line. */
export function checkName(name: unknown, path: string): asserts name is string {
  if (typeof name === "string" && NAME.test(name)) return;
  throw new BadInput(`${path}: name`, name, "small letters and digits, with - or . between");
}
