// Where each known mistake shows: the scenario, the kernel around it, and whether it takes a store
// buffer. docs/explore.md is made from this list by exploring every line of it.

import type { MutationName } from "../../kernel/operation/mutation.ts";
import type { ExploreJob } from "../explore-job.ts";

export type Showcase = ExploreJob & { readonly mutation: MutationName };

const NEWEST = { policy: "refcounted", protocol: "linux-6.18" } as const;
const OLDEST = { policy: "refcounted", protocol: "linux-4.8" } as const;
const ABIS = { policy: "refcounted", protocol: "abis" } as const;

/** `memory` is the weakest model that shows the mistake: under "sc" it shows without a buffer. */
export const SHOWCASES: readonly Showcase[] = [
  {
    mutation: "no-barrier-before-generation",
    name: "copy-on-write-against-reader",
    memory: "tso",
    ...NEWEST,
  },
  { mutation: "switching-stored-late", name: "discard-against-switch-in", memory: "sc", ...NEWEST },
  {
    mutation: "should-flush-ignores-switching",
    name: "discard-against-switch-in",
    memory: "sc",
    ...NEWEST,
  },
  { mutation: "generation-zero-is-old", name: "reclaim-against-reader", memory: "sc", ...NEWEST },
  { mutation: "ranged-flush-over-gap", name: "two-flushers", memory: "sc", ...NEWEST },
  { mutation: "batched-unmap-not-noted", name: "reclaim-against-protect", memory: "sc", ...NEWEST },
  {
    mutation: "batched-unmap-forgotten",
    name: "reclaim-against-two-tables",
    memory: "sc",
    ...NEWEST,
  },
  { mutation: "freed-tables-false", name: "exit-while-lazy", memory: "sc", ...NEWEST },
  { mutation: "tables-freed-unflushed", name: "exit-while-lazy", memory: "sc", ...NEWEST },
  {
    mutation: "temporary-mm-while-lazy",
    name: "text-poke-while-lazy",
    memory: "sc",
    policy: "null-prev",
    protocol: "linux-6.18",
  },
  {
    mutation: "transition-without-switching-wait",
    name: "broadcast-transition",
    memory: "sc",
    ...NEWEST,
  },
  {
    mutation: "kernel-flush-forgets-other-pcids",
    name: "isolated-kernel-pages",
    memory: "sc",
    ...NEWEST,
  },
  { mutation: "user-pcid-flush-forgotten", name: "isolated-reader", memory: "sc", ...NEWEST },
  {
    mutation: "refcount-dropped-before-switch",
    name: "last-lazy-user-leaves",
    memory: "sc",
    ...NEWEST,
  },
  { mutation: "exec-active-mm-unprotected", name: "exec-while-lazy", memory: "sc", ...NEWEST },
  { mutation: "unplug-keeps-lazy-mm", name: "unplug-while-lazy", memory: "sc", ...NEWEST },
  { mutation: "unplug-switches-offline", name: "unplug-while-lazy", memory: "sc", ...NEWEST },
  {
    mutation: "kthread-use-mm-interrupts-on",
    name: "kthread-leaves-dying",
    memory: "sc",
    policy: "shoot-lazies",
    protocol: "linux-6.18",
  },
  {
    mutation: "unlazy-without-barrier",
    name: "discard-against-unlazy",
    memory: "tso",
    policy: "refcounted",
    protocol: "linux-4.20",
  },
  {
    mutation: "freed-tables-under-lazy-cpus",
    name: "kthread-against-exit",
    memory: "sc",
    policy: "refcounted",
    protocol: "linux-4.20",
  },
  {
    mutation: "lazy-leaves-cpumask",
    name: "exit-while-lazy",
    memory: "sc",
    policy: "refcounted",
    protocol: "linux-4.15",
  },
  { mutation: "cpumask-after-cr3", name: "discard-against-switch-in", memory: "sc", ...OLDEST },
  { mutation: "flush-before-cpumask", name: "flush-from-outside", memory: "tso", ...OLDEST },
  {
    mutation: "pv-flush-ignores-entry",
    name: "protect-against-entry",
    memory: "sc",
    policy: "refcounted",
    protocol: "kvm-pv",
  },
  {
    mutation: "early-ack-of-freed-tables",
    name: "kthread-against-exit",
    memory: "sc",
    policy: "refcounted",
    protocol: "early-ack",
  },
  {
    mutation: "batched-call-ends-without-barrier",
    name: "protect-against-call",
    memory: "tso",
    policy: "refcounted",
    protocol: "batched-syscalls",
  },
  {
    mutation: "latr-reclaims-unswept",
    name: "postponed-unmap",
    memory: "sc",
    policy: "refcounted",
    protocol: "latr",
  },
  { mutation: "abis-clear-is-uncached", name: "discard-of-private-page", memory: "sc", ...ABIS },
  { mutation: "abis-record-outlives-access", name: "discard-of-own-page", memory: "sc", ...ABIS },
];

export const showcaseOf = (mutation: MutationName): Showcase | undefined =>
  SHOWCASES.find((showcase) => showcase.mutation === mutation);
