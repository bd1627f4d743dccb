// FreeBSD on amd64 (sys/amd64/amd64/mp_machdep.c, pmap.c): no lock around a shootdown, no
// generations of flushes. A target acknowledges a request as soon as it has read it, and only then
// invalidates: it is in its handler and cannot come to user mode before that is done. Where a pmap
// is not loaded its PCID is given up (pm_gen = 0), and it gets a new one when it is loaded next.
//
// Unlike FreeBSD: without INVPCID user PCIDs are flushed on the way to user mode, not by visits to
// the user's root; a flush of kernel pages under page-table isolation drops everything.

import { LINUX_5_13_TRAITS } from "../state/protocol-traits.ts";
import { pagesIn, type PageRange } from "../../base/address.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { among, clearCpu, cpusOf, setCpu } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  fence,
  invpcid,
  type KernelCode,
  load,
  note,
  sendIpi,
  store,
  waitUntil,
  work,
  writeCr3,
} from "../operation/operation.ts";
import { INVALIDATE_VECTOR } from "../operation/vectors.ts";
import { pcidOfAsid } from "../state/tlb-state.ts";
import { type ChosenAsid, enterLazy, flushLoaded, flushPages, ownLoadedMm } from "./asid.ts";
import { type InvalidationRequest, PmapState } from "./freebsd-state.ts";
import { flushEverything } from "./kernel-range.ts";
import type { FlushRequest, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff, needInterruptsOn } from "../operation/precondition.ts";

/** PMAP_INVLPG_THRESHOLD: more than a second-level TLB holds. */
const PAGE_BY_PAGE = 4 * 1024;
/** The kernel's own address space keeps the slot that it was booted with. */
const KERNEL_SLOT = 0;
/** PCIDs below are the kernel's halves where there is a user half with bit 11. */
const PCIDS = { shared: 4095, isolated: 2047 };

const stateOf = ({ kernel }: Cpu): PmapState => kernel.part(PmapState);

/** pmap_pcid_alloc: the PCID that the pmap has here, or the next one, which is to be flushed. */
function* allocatePcid(cpu: Cpu, mm: Mm): KernelCode<ChosenAsid> {
  const { options, initMm } = cpu.kernel;
  if (!options.pcid) return { asid: 0, flush: true };
  if (mm === initMm) return { asid: KERNEL_SLOT, flush: false };
  const { next, generation } = stateOf(cpu).allocators[cpu.id]!;
  const own = stateOf(cpu).pcidOf(mm, cpu.id);
  const current = yield* load(generation);
  if ((yield* load(own.generation)) === current) {
    return { asid: yield* load(own.pcid), flush: false };
  }
  const asid = yield* load(next);
  const isLast = asid + 1 >= (options.pti === true ? PCIDS.isolated : PCIDS.shared);
  // All given out: what the pmaps have is of an old generation, and is given out again.
  const now = isLast ? current + 1 : current;
  if (isLast) yield* store(generation, now);
  yield* store(next, isLast ? 1 : asid + 1);
  yield* store(own.pcid, asid);
  yield* store(own.generation, now);
  return { asid, flush: true };
}

/** pmap_activate_sw: pm_active has this CPU before CR3 is written and until after it. */
function* switchMm(cpu: Cpu, next: Mm): KernelCode {
  const { tlb, kernel } = cpu;
  const prev = yield* ownLoadedMm(cpu);
  if (yield* load(tlb.isLazy)) yield* store(tlb.isLazy, false);
  if (prev === next) return;
  if (next !== kernel.initMm) yield* setCpu(next.cpumask, cpu.id);
  // A flush of the user PCID that is still to be made is lost with the mask: a new PCID instead.
  const { pcid, pti } = kernel.options;
  if (tlb.userPcidFlushMask !== 0) {
    yield* store(stateOf(cpu).pcidOf(prev, cpu.id).generation, 0);
  }
  const slot = yield* allocatePcid(cpu, next);
  tlb.userPcidFlushMask = slot.flush && pcid && pti === true ? 1 << slot.asid : 0;
  yield* writeCr3(next.root, pcid ? pcidOfAsid(slot.asid) : 0, !slot.flush);
  tlb.cr3Mm = next;
  yield* store(tlb.loadedMm, next);
  tlb.loadedAsid = slot.asid;
  if (prev !== kernel.initMm) yield* clearCpu(prev.cpumask, cpu.id);
}

/** pmap_invalidate_preipi: whoever has not loaded the pmap now is not to use its PCID again. */
export function* giveUpPcids(cpu: Cpu, mm: Mm): KernelCode {
  if (cpu.kernel.options.pcid) {
    const isHere = (yield* load(cpu.tlb.loadedMm)) === mm;
    for (const { id } of cpu.kernel.cpus) {
      if (isHere && id === cpu.id) continue;
      yield* store(stateOf(cpu).pcidOf(mm, id).generation, 0);
    }
  }
  // Between pm_gen and pm_active: who is not seen in the mask is to see that its PCID is gone.
  yield* fence();
}

/** pmap_invalidate_*_curcpu_cb, and the handlers of mp_machdep.c. Interrupts off. */
function* invalidateHere(cpu: Cpu, request: InvalidationRequest, local: boolean): KernelCode {
  const { mm, range } = request;
  const { initMm, options } = cpu.kernel;
  yield* needInterruptsOff("pmap_invalidate_curcpu");
  const isLoaded = (yield* ownLoadedMm(cpu)) === mm;
  yield* work(costs.flushBody);
  if (mm === initMm) {
    if (range === null || options.pti === true) yield* flushEverything(cpu);
    else yield* flushPages(cpu, range);
  } else if (isLoaded) {
    if (range === null) yield* invalidateLoaded(cpu, mm);
    else yield* flushPages(cpu, range);
  }
  const how = mm !== initMm && !isLoaded ? "skipped" : range === null ? "full" : "ranged";
  yield* note({ kind: "flushed", mm, how, local });
}

/** invltlb_invpcid_handler, or by CR3 where there is no INVPCID. */
function* invalidateLoaded(cpu: Cpu, mm: Mm): KernelCode {
  const { pcid, invpcid: hasInvpcid, pti } = cpu.kernel.options;
  if (!pcid || hasInvpcid !== true || pti === true) return yield* flushLoaded(cpu, mm);
  yield* invpcid(1, { pcid: pcidOfAsid(cpu.tlb.loadedAsid) });
}

/** smp_targeted_tlb_shootdown */
export function* shootDown(
  cpu: Cpu,
  mask: readonly number[],
  what: { readonly mm: Mm; readonly range: PageRange | null },
): KernelCode<boolean> {
  yield* needInterruptsOn("smp_targeted_tlb_shootdown");
  const state = stateOf(cpu);
  const online = yield* among(cpu.kernel.onlineMask, mask);
  const targets = online.filter((id) => id !== cpu.id);
  const last = yield* load(state.requests[cpu.id]!);
  const request = { ...what, generation: (last?.generation ?? 1) + 1 };
  if (targets.length > 0) {
    yield* store(state.requests[cpu.id]!, request);
    for (const target of targets) yield* store(state.slot(target, cpu.id), 0);
    yield* sendIpi(targets, INVALIDATE_VECTOR);
  }
  yield* disableInterrupts();
  yield* invalidateHere(cpu, request, true);
  yield* enableInterrupts();
  for (const target of targets) {
    yield* waitUntil(state.slot(target, cpu.id), (seen) => seen === request.generation);
  }
  return targets.length > 0;
}

/** invlop_handler */
function* serveInvalidations(cpu: Cpu): KernelCode {
  const state = stateOf(cpu);
  for (;;) {
    const initiator = yield* findRequest(cpu);
    if (initiator < 0) return;
    const request = (yield* load(state.requests[initiator]!))!;
    yield* store(state.slot(cpu.id, initiator), request.generation);
    yield* invalidateHere(cpu, request, false);
  }
}

/** The first CPU that waits for this one; -1: none does. */
function* findRequest(cpu: Cpu): KernelCode<number> {
  const row = stateOf(cpu).row(cpu.id);
  for (let initiator = 0; initiator < row.length; initiator++) {
    if ((yield* load(row[initiator]!)) === 0) return initiator;
  }
  return -1;
}

/** pmap_invalidate_range, pmap_invalidate_all */
function* flushRange(cpu: Cpu, { mm, range }: FlushRequest): KernelCode<boolean> {
  yield* giveUpPcids(cpu, mm);
  const pages = pagesIn(range) < PAGE_BY_PAGE ? range : null;
  return yield* shootDown(cpu, yield* cpusOf(mm.cpumask), { mm, range: pages });
}

export const freebsd: ShootdownProtocol = {
  name: "freebsd",
  summary: "requests in a scoreboard, acknowledged before the invalidation; PCIDs given up by mark",
  source: "sys/amd64/amd64/mp_machdep.c and pmap.c, FreeBSD 14",
  state: PmapState,
  switchMm,
  enterLazy,
  flushRange,
  *flushKernelRange(cpu, range) {
    const all = cpu.kernel.cpus.map(({ id }) => id);
    const pages = pagesIn(range) < PAGE_BY_PAGE ? range : null;
    yield* shootDown(cpu, all, { mm: cpu.kernel.initMm, range: pages });
  },
  serveInterrupt: serveInvalidations,
  *destroyContext(cpu, mm) {
    stateOf(cpu).release(mm);
  },
  traits: {
    ...LINUX_5_13_TRAITS,
    freedTables: "leave-lazy-cpus",
    maskOfPrevious: "cleared-after-cr3",
    acknowledges: "before-flush",
  },
};

nameFunctions({
  pmap_pcid_alloc: allocatePcid,
  switch_mm_irqs_off: switchMm,
  pmap_invalidate_preipi: giveUpPcids,
  invalidateHere,
  invalidateLoaded,
  smp_targeted_tlb_shootdown: shootDown,
  invlop_handler: serveInvalidations,
  findRequest,
  flush_tlb_mm_range: flushRange,
});
