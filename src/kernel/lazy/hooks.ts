// The points of a policy at which most policies do nothing.

import type { LazyPolicy } from "../state/lazy-policy.ts";

type Hooks = Pick<LazyPolicy, "lazyFlushed" | "afterExitMmap" | "beforeFree">;

/** A policy that leaves flush interrupts, exit_mmap and the last drop alone. */
export const noHooks: Hooks = {
  *lazyFlushed() {},
  *afterExitMmap() {},
  *beforeFree() {},
};
