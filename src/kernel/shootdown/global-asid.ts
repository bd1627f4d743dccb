// Global ASIDs of Linux 6.15: an address space that is active on many CPUs gets one ASID for all of
// them, which INVLPGB keeps up to date everywhere, so that no generation has to.

import type { Cpu } from "../state/cpu.ts";
import { cpusOf } from "../cpu/cpumask.ts";
import { ASIDS, type GlobalAsids } from "../state/global-asids.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import type { Mm } from "../state/mm.ts";
import { restoreInterrupts, saveInterrupts } from "../operation/interrupt-operation.ts";
import { invlpgb, type KernelCode, load, store, tlbsync } from "../operation/operation.ts";
import { DYNAMIC_ASIDS } from "../state/tlb-state.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needSpinLock } from "../operation/precondition.ts";

/** Of so many flushes one considers: Linux compares five bits of the pid and of jiffies. */
const CONSIDERED_EVERY = 32;
const ACTIVE_CPUS = 3;

export const isGlobalAsid = (asid: number): boolean => asid >= DYNAMIC_ASIDS;

/** mm_global_asid: 0 where it has none. */
export function* globalAsidOf(cpu: Cpu, mm: Mm): KernelCode<number> {
  return cpu.kernel.options.invlpgb === true ? yield* load(mm.globalAsid) : 0;
}

/** mm_needs_global_asid: whether `mm` has a global ASID and this CPU runs it on another. */
export function* needsGlobalAsid(cpu: Cpu, mm: Mm): KernelCode<boolean> {
  const asid = yield* globalAsidOf(cpu, mm);
  return asid !== 0 && asid !== cpu.tlb.loadedAsid;
}

/** mm_in_asid_transition */
export function* inTransition(cpu: Cpu, mm: Mm): KernelCode<boolean> {
  return cpu.kernel.options.invlpgb === true && (yield* load(mm.asidTransition));
}

/**
 * consider_global_asid. Unlike Linux, which samples by time and would in a short run do so never or
 * always, every CPU counts its flushes, beginning with the first.
 */
export function* considerGlobalAsid(cpu: Cpu, mm: Mm): KernelCode {
  const { tlb, kernel } = cpu;
  if (kernel.options.invlpgb !== true) return;
  if (tlb.remoteFlushes++ % CONSIDERED_EVERY !== 0) return;
  const { globalAsidCpus = ACTIVE_CPUS } = kernel.options;
  if (yield* activeCpusExceed(cpu, mm, globalAsidCpus)) yield* useGlobalAsid(cpu, mm);
}

/** mm_active_cpus_exceeds: CPUs in the mask that have the mm loaded and are not lazy. */
function* activeCpusExceed(cpu: Cpu, mm: Mm, threshold: number): KernelCode<boolean> {
  const mask = yield* cpusOf(mm.cpumask);
  if (mask.length <= threshold) return false;
  let count = 0;
  for (const id of mask) {
    const { tlb } = cpu.kernel.cpus[id]!;
    if ((yield* load(tlb.loadedMm)) !== mm) continue;
    if (yield* load(tlb.isLazy)) continue;
    if (++count > threshold) return true;
  }
  return false;
}

const allocate = (asids: GlobalAsids) => allocateGlobalAsid(asids, broadcastAll);

function* broadcastAll(): KernelCode {
  yield* invlpgb({ extent: "allButGlobals" });
  yield* tlbsync();
}

/** use_global_asid */
function* useGlobalAsid(cpu: Cpu, mm: Mm): KernelCode {
  const { globalAsids } = cpu.kernel;
  const irqs = yield* saveInterrupts(cpu); // raw_spin_lock_irqsave
  yield* spinLock(globalAsids.lock);
  const asid = (yield* load(mm.globalAsid)) === 0 ? yield* allocate(globalAsids) : 0;
  if (asid !== 0) {
    // Whoever sees the ASID must see the transition: stores do not pass each other.
    yield* store(mm.asidTransition, true);
    yield* store(mm.globalAsid, asid);
  }
  yield* spinUnlock(globalAsids.lock);
  yield* restoreInterrupts(cpu, irqs);
}

/** allocate_global_asid: 0 when all are in use. Lock held. */
export function* allocateGlobalAsid(
  asids: GlobalAsids,
  forgetAll: () => KernelCode,
): KernelCode<number> {
  yield* needSpinLock(asids.lock, "allocate_global_asid");
  if (asids.last >= ASIDS - 1) yield* resetGlobalAsids(asids, forgetAll);
  let asid = asids.last;
  while (asids.used.has(asid)) asid++;
  if (asid >= ASIDS) return 0;
  asids.used.add(asid);
  asids.last = asid;
  return asid;
}

/** reset_global_asid_space: nothing of those given back is left in any TLB. Lock held. */
function* resetGlobalAsids(asids: GlobalAsids, forgetAll: () => KernelCode): KernelCode {
  yield* forgetAll();
  for (const asid of asids.freed) asids.used.delete(asid);
  asids.freed.clear();
  asids.last = DYNAMIC_ASIDS;
}

/** mm_free_global_asid, when the mm is destroyed. */
export function* freeGlobalAsid(cpu: Cpu, mm: Mm): KernelCode {
  if ((yield* globalAsidOf(cpu, mm)) !== 0) yield* giveBackGlobalAsid(cpu, mm);
}

/** The ASID of an mm that is no more may be used again after a reset. */
export function* giveBackGlobalAsid(cpu: Cpu, mm: Mm): KernelCode {
  const asid = yield* load(mm.globalAsid);
  if (asid === 0) return;
  const { globalAsids } = cpu.kernel;
  const irqs = yield* saveInterrupts(cpu); // raw_spin_lock_irqsave
  yield* spinLock(globalAsids.lock);
  globalAsids.freed.add(asid);
  yield* store(mm.globalAsid, 0);
  yield* spinUnlock(globalAsids.lock);
  yield* restoreInterrupts(cpu, irqs);
}

nameFunctions({
  mm_global_asid: globalAsidOf,
  mm_needs_global_asid: needsGlobalAsid,
  mm_in_asid_transition: inTransition,
  consider_global_asid: considerGlobalAsid,
  mm_active_cpus_exceeds: activeCpusExceed,
  broadcastAll,
  use_global_asid: useGlobalAsid,
  allocate_global_asid: allocateGlobalAsid,
  reset_global_asid_space: resetGlobalAsids,
  mm_free_global_asid: freeGlobalAsid,
  giveBackGlobalAsid,
});
