// Patch v4 2/4 of June 2021 with the option off, on x86: active_mm stays and is passed to
// switch_mm, but nothing keeps it alive. The scheduler hands on pointers to freed memory.

import { fence } from "../operation/operation.ts";
import { switchMm } from "../cpu/switch-mm.ts";
import { switchingWithActiveMm } from "./active-mm.ts";
import { noHooks } from "./hooks.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";

export const unrefcounted: LazyPolicy = {
  name: "unrefcounted",
  summary: "active_mm is kept and passed to switch_mm, nothing keeps it alive",
  source: "[PATCH v4 2/4] lazy tlb: allow lazy tlb mm refcounting to be configurable (June 2021)",
  lifetime: "none",
  expected: "violation",
  traits: { aliveBy: "nothing", previousMm: "named", era: "any" },
  lazyReference: "none",
  ...switchingWithActiveMm({ *grab() {}, drop: fence }),
  ...noHooks,
  // With the option off neither rq->prev_mm nor the clearing of prev->active_mm is compiled in:
  // only the barrier that membarrier(2) needs. The kernel thread keeps a stale pointer.
  *kernelToUser(cpu, prev, next) {
    yield* switchMm(cpu, prev.activeMm, next.mm!);
    yield* fence();
  },
};
