// arch/x86/mm/tlb.c before Linux 4.14: no PCID, no generations. A CPU is TLBSTATE_OK or
// TLBSTATE_LAZY (the cell is_lazy) on cpu_tlbstate.active_mm, which is at all times what core code
// has in task->active_mm: core code's `prev` is read from there. A flush interrupts every CPU in
// mm_cpumask; the first one that finds it lazy moves its CR3, not its active_mm, to init_mm's
// tables (leave_mm). Of 4.8, but for what KAISER would add. abis is built on it.

import { LINUX_4_8_TRAITS } from "../state/protocol-traits.ts";
import { pagesIn, type PageRange } from "../../base/address.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { clearCpu, cpusOf, setCpu, testCpu } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import {
  fence,
  type KernelCode,
  load,
  note,
  store,
  work,
  writeCr3,
} from "../operation/operation.ts";
import { callMany, waitForCalls } from "../cpu/smp.ts";
import type { FlushBatch } from "../state/flush-batch.ts";
import { FLUSH_ALL_LOADED, type FlushInfo, pcidOfAsid } from "../state/tlb-state.ts";
import { flushPages } from "./asid.ts";
import { flushKernelRange } from "./kernel-range.ts";
import type { FlushRequest, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";
import {
  needInterruptsOff,
  needInterruptsOn,
  needPageTableLock,
} from "../operation/precondition.ts";

/** The PCID of every address space. */
export const onlyPcid = ({ kernel }: Cpu): number => (kernel.options.pcid ? pcidOfAsid(0) : 0);

/** load_cr3: drops everything that is not global. */
const loadCr3 = (cpu: Cpu, mm: Mm): KernelCode => writeCr3(mm.root, onlyPcid(cpu), false);

/**
 * switch_mm_irqs_off. The mask bit must be visible before anything is walked through `next`'s
 * tables. A TLB fill is ordered by neither LOCK nor MFENCE; the write of CR3 is serialising.
 */
function* switchMm(cpu: Cpu, next: Mm): KernelCode {
  const { tlb } = cpu;
  const prev = yield* load(tlb.activeMm);
  yield* store(tlb.isLazy, false);
  if (prev !== next) {
    yield* store(tlb.activeMm, next);
    yield* enterMask(cpu, next);
    yield* clearCpu(prev.cpumask, cpu.id);
  } else if (!(yield* testCpu(next.cpumask, cpu.id))) {
    // leave_mm was here while this CPU was lazy: its flushes are missed, its CR3 is init_mm's.
    yield* enterMask(cpu, next);
  }
  // Still in the mask: every flush came here meanwhile, nothing is stale.
}

/** cpumask_set_cpu, then load_cr3. */
function* enterMask(cpu: Cpu, mm: Mm): KernelCode {
  const isLate = isMutated(cpu, "cpumask-after-cr3");
  if (!isLate) yield* setCpu(mm.cpumask, cpu.id);
  yield* loadCr3(cpu, mm);
  if (isLate) yield* setCpu(mm.cpumask, cpu.id);
}

/** enter_lazy_tlb: CR3 and the mask bit stay. */
function* enterLazy(cpu: Cpu): KernelCode {
  if (!(yield* load(cpu.tlb.isLazy))) yield* store(cpu.tlb.isLazy, true);
}

/** leave_mm of a lazy or idle CPU. Core code's reference stays: it cannot be dropped here. */
function* leaveMm(cpu: Cpu): KernelCode {
  const mm = yield* load(cpu.tlb.activeMm);
  if (!(yield* testCpu(mm.cpumask, cpu.id))) return;
  yield* clearCpu(mm.cpumask, cpu.id);
  yield* loadCr3(cpu, cpu.kernel.initMm);
}

/** do_flush_tlb_all: a lazy CPU leaves its mm once it has flushed everything. */
function* leaveMmIfLazy(cpu: Cpu): KernelCode {
  if (yield* load(cpu.tlb.isLazy)) yield* leaveMm(cpu);
}

/** local_flush_tlb, or __flush_tlb_single for each page: each is a full barrier. */
function* flushLocally(cpu: Cpu, mm: Mm, range: PageRange | null, local: boolean): KernelCode {
  if (range === null) yield* loadCr3(cpu, mm);
  else yield* flushPages(cpu, range);
  yield* note({ kind: "flushed", mm, how: range === null ? "full" : "ranged", local });
}

/** flush_tlb_func, in the interrupt. */
function* flushHere(cpu: Cpu, initiator: Cpu): KernelCode {
  const { tlb } = cpu;
  yield* needInterruptsOff("flush_tlb_func");
  const { mm: flushed, range } = (yield* load(initiator.tlb.flushInfo))!;
  yield* work(costs.flushBody);
  const active = yield* load(tlb.activeMm);
  const mm = flushed ?? active;
  const isOther = active !== mm;
  if (!isOther && !(yield* load(tlb.isLazy))) return yield* flushLocally(cpu, mm, range, false);
  if (!isOther) yield* leaveMm(cpu);
  yield* note({ kind: "flushed", mm, how: "skipped", local: false });
}

/**
 * smp_mb() between the caller's page-table writes and the load of mm_cpumask, on the paths where
 * nothing else is one. Pairs with the write of CR3 in switch_mm.
 */
function* synchronizeWithSwitchMm(cpu: Cpu): KernelCode {
  if (!isMutated(cpu, "flush-before-cpumask")) yield* fence();
}

/** The CPUs that may hold what a flush is about; null: whoever is in mm_cpumask. */
export type Holders = ReadonlySet<number> | null;

/** flush_tlb_mm_range: here first, then flush_tlb_others; whoever is no holder is left out. */
export function* flushHolders(
  cpu: Cpu,
  { mm, range, freedTables }: FlushRequest,
  holders: Holders,
): KernelCode<boolean> {
  yield* needInterruptsOn("flush_tlb_mm_range");
  const { current, kernel } = cpu;
  const mayHold = (id: number): boolean => holders?.has(id) ?? true;
  const whole = pagesIn(range) > kernel.options.flushCeiling;
  const info = { mm, range: whole ? null : range, newGeneration: 0, freedTables };
  if (current.activeMm !== mm || !mayHold(cpu.id)) yield* synchronizeWithSwitchMm(cpu);
  else if (current.mm === null) {
    yield* leaveMm(cpu);
    yield* synchronizeWithSwitchMm(cpu);
  } else yield* flushLocally(cpu, mm, info.range, true);
  const mask = (yield* cpusOf(mm.cpumask)).filter(mayHold);
  return yield* flushOthers(cpu, mask, info);
}

/** flush_tlb_others: interrupts the others of `mask` and waits. Returns whether there are any. */
function* flushOthers(cpu: Cpu, mask: readonly number[], info: FlushInfo): KernelCode<boolean> {
  if (!mask.some((id) => id !== cpu.id)) return false;
  yield* store(cpu.tlb.flushInfo, info);
  const called = yield* callMany(cpu, mask, (target) => flushHere(target, cpu));
  yield* waitForCalls(called);
  return true;
}

/** Of set_tlb_ubc_flush_pending: no generation. XCHG of the entry orders it before the mask. */
export function* addHolders(batch: FlushBatch, mm: Mm, holders: Holders): KernelCode {
  yield* needPageTableLock(mm, "set_tlb_ubc_flush_pending");
  for (const id of yield* cpusOf(mm.cpumask)) if (holders?.has(id) ?? true) batch.cpus.add(id);
}

/** try_to_unmap_flush: here first, and everything of whatever is loaded; then flush_tlb_others. */
export function* flushBatch(cpu: Cpu, batch: FlushBatch): KernelCode<boolean> {
  yield* needInterruptsOn("try_to_unmap_flush");
  const mask = batch.inOrder();
  batch.cpus.clear();
  if (mask.includes(cpu.id)) {
    yield* flushLocally(cpu, yield* load(cpu.tlb.activeMm), null, true);
  }
  return yield* flushOthers(cpu, mask, FLUSH_ALL_LOADED);
}

export const linux48: ShootdownProtocol = {
  name: "linux-4.8",
  summary: "no PCID and no generations: CR3 is flushed at every switch, lazy CPUs leave when told",
  source: "arch/x86/mm/tlb.c, Linux 4.8 (to 4.13)",
  switchMm,
  enterLazy,
  leaveMm,
  flushRange: (cpu, request) => flushHolders(cpu, request, null),
  flushKernelRange: (cpu, range) => flushKernelRange(cpu, range, leaveMmIfLazy),
  batchedUnmap: {
    add: (_cpu, batch, { mm }) => addHolders(batch, mm, null),
    flush: flushBatch,
  },
  traits: LINUX_4_8_TRAITS,
};

nameFunctions({
  switch_mm_irqs_off: switchMm,
  enterMask,
  enter_lazy_tlb: enterLazy,
  leave_mm: leaveMm,
  local_flush_tlb: flushLocally,
  flush_tlb_func: flushHere,
  leaveMmIfLazy,
  synchronizeWithSwitchMm,
  flush_tlb_mm_range: flushHolders,
  flush_tlb_others: flushOthers,
  arch_tlbbatch_add_mm: addHolders,
  arch_tlbbatch_flush: flushBatch,
});
