// MMU_LAZY_TLB_SHOOTDOWN, powerpc's lifecycle: nobody counts lazy users; the last mmdrop interrupts
// every CPU in mm_cpumask and moves the lazy ones to init_mm before the mm is freed.

import { fence } from "../operation/operation.ts";
import { switchingWithActiveMm } from "./active-mm.ts";
import { forgetFlushedMm, shootLazyUsers } from "./end-lazy-use.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";

export const shootLazies: LazyPolicy = {
  name: "shoot-lazies",
  summary: "the last mmdrop interrupts the CPUs in mm_cpumask and ends their lazy use",
  source: "kernel/fork.c, cleanup_lazy_tlbs with MMU_LAZY_TLB_SHOOTDOWN (Linux 6.4, powerpc 64s)",
  lifetime: "IPI at mm_count == 0",
  expected: "ok",
  traits: { aliveBy: "mask", previousMm: "named", era: "any" },
  lazyReference: "none",
  ...switchingWithActiveMm({ *grab() {}, drop: fence }),
  lazyFlushed: forgetFlushedMm,
  *afterExitMmap() {},
  beforeFree: shootLazyUsers,
};
