// MMU_LAZY_TLB_REFCOUNT=y, what mainline x86 does: each lazy user holds mm_count. Two locked
// operations on one shared line for every round trip between a user task and idle.

import { mmdrop, mmgrab } from "../memory/mm-count.ts";
import { switchingWithActiveMm } from "./active-mm.ts";
import { noHooks } from "./hooks.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";

export const refcounted: LazyPolicy = {
  name: "refcounted",
  summary: "active_mm is held by mm_count, as mainline x86 does",
  source: "include/linux/sched/mm.h, mmgrab_lazy_tlb with MMU_LAZY_TLB_REFCOUNT=y (Linux 6.4)",
  lifetime: "counted",
  expected: "ok",
  traits: { aliveBy: "count", previousMm: "named", era: "any" },
  lazyReference: "active-mm",
  ...switchingWithActiveMm({ grab: (_cpu, mm) => mmgrab(mm), drop: mmdrop }),
  ...noHooks,
};
