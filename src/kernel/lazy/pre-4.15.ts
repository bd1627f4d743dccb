// Lazy TLB before loaded_mm: x86 went by the `prev` that core code passed, so active_mm had to be
// what the hardware was on, or had been on when leave_mm took its CR3 away. It is counted, always:
// the reference is what keeps the mm that the next switch_mm is told to leave. exec and use_mm hold
// interrupts off here, as they do since 5.9 and 5.10; mutations take that away.

import { mmdrop, mmgrab } from "../memory/mm-count.ts";
import { disableInterrupts, enableInterrupts } from "../operation/operation.ts";
import { enterLazyTlb } from "../cpu/switch-mm.ts";
import { switchingWithActiveMm, switchKernelThread } from "./active-mm.ts";
import { noHooks } from "./hooks.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";

export const pre415: LazyPolicy = {
  name: "pre-4.15",
  summary: "active_mm, counted, is what x86 switches from; leave_mm ends lazy use at the first IPI",
  source: "kernel/sched/core.c, mm/mmu_context.c and arch/x86/mm/tlb.c, Linux 4.8",
  lifetime: "counted",
  expected: "ok",
  traits: { aliveBy: "count", previousMm: "named", era: "active_mm" },
  lazyReference: "active-mm",
  kthreadsKeepReference: true,
  ...switchingWithActiveMm({ grab: (_cpu, mm) => mmgrab(mm), drop: mmdrop }),
  ...noHooks,
  /** use_mm: a thread that borrows the mm already has its reference. */
  *useMm(cpu, task, mm) {
    const active = yield* switchKernelThread(cpu, task, mm);
    if (active !== mm) yield* mmdrop(cpu, active);
  },
  /** unuse_mm: active_mm stays, and so does its reference. */
  *unuseMm(cpu, task, mm) {
    yield* disableInterrupts();
    task.mm = null;
    yield* enterLazyTlb(cpu, mm);
    yield* enableInterrupts();
  },
};
