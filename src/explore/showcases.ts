// Where each known mistake shows: the scenario, the kernel around it, and whether it takes a store
// buffer. docs/explore.md is made from this list by exploring every line of it.

import type { MutationName } from "../kernel/mutation.ts";
import type { Job } from "./job.ts";

export type Showcase = Job & { readonly mutation: MutationName };

const KERNEL = { policy: "refcounted", protocol: "linux-5.13" } as const;

export const SHOWCASES: readonly Showcase[] = [
  { mutation: "ranged-flush-over-gap", name: "two-flushers", memory: "sc", ...KERNEL },
];

export const showcaseOf = (mutation: MutationName): Showcase | undefined =>
  SHOWCASES.find((showcase) => showcase.mutation === mutation);
