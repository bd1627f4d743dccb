// The series of January 2022: rq->lazy_mm is a hazard pointer, written by plain stores on the
// switch path; __mmput scans the run queues and hands each lazy one a reference in rq->drop_mm.

import type { Cpu } from "../state/cpu.ts";
import type { Mm } from "../state/mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  load,
  locked,
  store,
} from "../operation/operation.ts";
import { cpusOf } from "../cpu/cpumask.ts";
import { mmdrop } from "../memory/mm-count.ts";
import { switchMm } from "../cpu/switch-mm.ts";
import { activateMm, isLazyUser, switchingWithActiveMm, switchKernelThread } from "./active-mm.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";
import { nameFunctions } from "../operation/origin.ts";

/** mmdrop_lazy: drops the reference this run queue was handed once it no longer uses the mm. */
function* dropHanded(cpu: Cpu): KernelCode {
  const { dropMm, lazyMm } = cpu.runQueue;
  const handed = yield* load(dropMm);
  if (handed === null || handed === (yield* load(lazyMm))) return;
  const found = yield* locked(dropMm, (mm) => (mm === handed ? null : mm));
  if (found === handed) yield* mmdrop(cpu, handed);
}

/** __try_mm_drop_rq_ref: hands one reference on `mm` to `target`. False: it uses `mm` no longer. */
function* handReference(cpu: Cpu, target: Cpu, mm: Mm): KernelCode<boolean> {
  const { dropMm, lazyMm } = target.runQueue;
  for (;;) {
    const handed = yield* load(dropMm);
    // Where something was handed before, lazy_mm is read again, after drop_mm: if it moved on,
    // nothing is owed; if not, `handed` is unused.
    if (handed !== null && (yield* load(lazyMm)) !== mm) return false;
    const found = yield* locked(dropMm, (old) => (old === handed ? mm : old));
    if (found !== handed) continue;
    if (handed !== null) yield* mmdrop(cpu, handed);
    return true;
  }
}

/** mm_unlazy_mm_count: finds the CPUs that use `mm` lazily and gives each a counted reference. */
function* countLazyUsers(cpu: Cpu, mm: Mm): KernelCode {
  let unused = 0;
  for (const id of yield* cpusOf(mm.cpumask)) {
    const target = cpu.kernel.cpus[id]!;
    if ((yield* load(target.runQueue.lazyMm)) !== mm) continue;
    if (unused === 0) {
      unused = cpu.kernel.cpus.length; // taken in one batch, what is left is given back below
      yield* locked(mm.mmCount, (count) => count + cpu.kernel.cpus.length);
    }
    if (yield* handReference(cpu, target, mm)) unused--;
  }
  const back = unused;
  yield* locked(mm.mmCount, (count) => count - back);
}

export const hazardPointer: LazyPolicy = {
  name: "hazard-pointer",
  summary: "rq->lazy_mm is a hazard pointer that the last mmput scans for",
  source: "Lutomirski, [PATCH 16/23] sched: Use lightweight hazard pointers, 8 January 2022",
  lifetime: "run queues scanned at mm_users == 0",
  expected: "ok",
  traits: { aliveBy: "mask", previousMm: "named", era: "any" },
  lazyReference: "drop-mm",
  ...switchingWithActiveMm({
    // A plain store: the caller still owns a user of the mm.
    grab: (cpu, mm) => store(cpu.runQueue.lazyMm, mm),
    drop: dropHanded,
  }),
  *kernelToUser(cpu, prev, next) {
    yield* switchMm(cpu, prev.activeMm, next.mm!);
    prev.activeMm = null;
    yield* store(cpu.runQueue.lazyMm, null); // release: after the last use of the mm
  },
  *finishSwitch(cpu) {
    yield* dropHanded(cpu);
  },
  *useMm(cpu, task, mm) {
    yield* switchKernelThread(cpu, task, mm);
    yield* store(cpu.runQueue.lazyMm, null);
    yield* dropHanded(cpu);
  },
  *execMm(cpu, task, next) {
    const isKernelThread = task.mm === null;
    yield* activateMm(cpu, task, next);
    if (!isKernelThread) return;
    yield* store(cpu.runQueue.lazyMm, null);
    yield* dropHanded(cpu);
  },
  *forceInitMm(cpu, task) {
    yield* disableInterrupts();
    const active = task.activeMm;
    task.activeMm = cpu.kernel.initMm;
    yield* switchMm(cpu, active, cpu.kernel.initMm);
    yield* store(cpu.runQueue.lazyMm, null);
    yield* enableInterrupts();
    yield* dropHanded(cpu);
  },
  *finishCpu(_cpu, idle) {
    idle.activeMm = null;
  },
  // unlazy_mm_irqs_off: the interrupt tells core code that the CPU is no longer a lazy user, since
  // mm_cpumask, by which the scan finds lazy users, has just lost its bit.
  *lazyFlushed(cpu, mm) {
    if (!isLazyUser(cpu.current, mm)) return;
    cpu.current.activeMm = cpu.kernel.initMm;
    yield* store(cpu.runQueue.lazyMm, null);
    yield* dropHanded(cpu);
  },
  afterExitMmap: countLazyUsers,
  *beforeFree() {},
};

nameFunctions({
  mmdrop_lazy: dropHanded,
  __try_mm_drop_rq_ref: handReference,
  mm_unlazy_mm_count: countLazyUsers,
});
