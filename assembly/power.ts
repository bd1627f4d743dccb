// A core's power taken away in a deep idle state (Intel's C6): its registers are kept elsewhere,
// what it has cached is lost. Its local APIC stays awake.
//
// Unlike hardware, entering takes no cycles; lines of the kernel's cells count as held by the core
// still. Leaving is the host's to charge.

import { emptyCache, L1D, L2 } from "./cache.ts";
import { invalidateAll } from "./invalidate.ts";
import { coreAt } from "./layout.ts";
import { drain } from "./posted-stores.ts";

export function powerDown(index: u32): void {
  const core = coreAt(index);
  drain(core);
  invalidateAll(core);
  emptyCache(core, L1D);
  emptyCache(core, L2);
}
