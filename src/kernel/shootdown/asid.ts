// What the protocols since Linux 4.14 share of arch/x86/mm/tlb.c: ASID slots, the CR3 that goes
// with one, and what a CPU flushes of its own; with page-table isolation each slot has a user PCID
// beside the kernel's.

import { type PageNumber, type PageRange, pageAfter, pagesIn, union } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import type { PageSize } from "../../machine/description.ts";
import { pagesPer } from "../../machine/page-table.ts";
import type { Cpu } from "../state/cpu.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import {
  invlpg,
  invpcid,
  type KernelCode,
  load,
  store,
  storeOwn,
  writeCr3,
} from "../operation/operation.ts";
import { userPcidOfAsid } from "../cpu/pti.ts";
import { DYNAMIC_ASIDS, pcidOfAsid, SWITCHING, type TlbState } from "../state/tlb-state.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

/** A slot, and whether what it holds is too old to be used. */
export interface ChosenAsid {
  readonly asid: number;
  readonly flush: boolean;
}

/** choose_new_asid: a slot for `next`, and whether its translations are older than `generation`. */
export function chooseAsid(cpu: Cpu, next: Mm, generation: number): ChosenAsid {
  if (!cpu.kernel.options.pcid) return { asid: 0, flush: true };
  const { tlb } = cpu;
  if (tlb.invalidateOther) clearOtherAsids(tlb);
  for (let asid = 0; asid < DYNAMIC_ASIDS; asid++) {
    const context = tlb.contexts[asid]!;
    if (context.contextId !== next.contextId) continue;
    return { asid, flush: context.tlbGeneration < generation };
  }
  const asid = tlb.nextAsid;
  tlb.nextAsid = (asid + 1) % DYNAMIC_ASIDS;
  return { asid, flush: true };
}

/** Slots in the line of loaded_mm: struct tlb_state has ctxs from byte 32 on, 16 bytes each. */
const SLOTS_BESIDE_LOADED_MM = 2;

/** this_cpu_write of cpu_tlbstate.ctxs[].tlb_gen. */
export function* storeSlotGeneration(cpu: Cpu, asid: number, generation: number): KernelCode {
  const { tlb } = cpu;
  const line = asid < SLOTS_BESIDE_LOADED_MM ? tlb.loadedMm.line : tlb.contextLine;
  tlb.contexts[asid]!.tlbGeneration = generation;
  yield* storeOwn(line, `cpu${cpu.id}.ctxs[${asid}].tlb_gen`);
}

/** clear_asid_other: every slot but the loaded one is given up, and flushed at its next use. */
function clearOtherAsids(tlb: TlbState): void {
  for (const [asid, context] of tlb.contexts.entries()) {
    if (asid !== tlb.loadedAsid) context.contextId = 0;
  }
  tlb.invalidateOther = false;
}

/** invalidate_user_asid: the slot's user PCID is flushed on the way to user mode, not before. */
function invalidateUserAsid(cpu: Cpu, asid: number): void {
  const { pti, pcid } = cpu.kernel.options;
  if (!pti || !pcid || isMutated(cpu, "user-pcid-flush-forgotten")) return;
  cpu.tlb.userPcidFlushMask |= 1 << asid;
}

/**
 * In-context flush: the user PCID loses the pages by INVLPG when it is current again. Too many, and
 * the user PCID is flushed as a whole.
 */
function putOffUserFlush(cpu: Cpu, range: PageRange): void {
  const { tlb, kernel } = cpu;
  const merged = union(tlb.pendingUserFlush ?? range, range);
  tlb.pendingUserFlush = merged;
  if (pagesIn(merged) > kernel.options.flushCeiling) flushUserAsidOnExit(cpu);
}

/** The loaded slot's user PCID goes as a whole, in place of pages that were put off. */
function flushUserAsidOnExit(cpu: Cpu): void {
  cpu.tlb.pendingUserFlush = null;
  invalidateUserAsid(cpu, cpu.tlb.loadedAsid);
}

/** this_cpu_read(loaded_mm). Interrupts off, so that this CPU is not in the middle of a switch. */
export function* ownLoadedMm(cpu: Cpu): KernelCode<Mm> {
  yield* needInterruptsOff("ownLoadedMm");
  const mm = yield* load(cpu.tlb.loadedMm);
  assert(mm !== SWITCHING, "a CPU asks for its mm before or after a switch, not within");
  return mm;
}

/** enter_lazy_tlb: on init_mm there is nothing to be lazy about. Interrupts off. */
export function* enterLazy(cpu: Cpu): KernelCode {
  yield* needInterruptsOff("enter_lazy_tlb");
  if ((yield* load(cpu.tlb.loadedMm)) === cpu.kernel.initMm) return;
  yield* store(cpu.tlb.isLazy, true);
}

/** load_new_mm_cr3, with the slot's bookkeeping before a flush. */
export function* loadCr3(cpu: Cpu, mm: Mm, slot: ChosenAsid, generation: number): KernelCode {
  yield* needInterruptsOff("load_new_mm_cr3");
  assert(!cpu.tlb.onUserRoot, "the kernel switches address spaces on its own root");
  if (cpu.tlb.pendingUserFlush !== null) flushUserAsidOnExit(cpu);
  if (slot.flush) {
    cpu.tlb.contexts[slot.asid]!.contextId = mm.contextId;
    yield* storeSlotGeneration(cpu, slot.asid, generation);
    invalidateUserAsid(cpu, slot.asid);
  }
  const pcid = cpu.kernel.options.pcid ? pcidOfAsid(slot.asid) : 0;
  yield* writeCr3(mm.root, pcid, !slot.flush);
  cpu.tlb.cr3Mm = mm;
}

/** flush_tlb_local: what is cached of the loaded mm goes, by a write of the same CR3. */
export function* flushLoaded(cpu: Cpu, mm: Mm): KernelCode {
  invalidateUserAsid(cpu, cpu.tlb.loadedAsid);
  yield* writeCr3(mm.root, cpu.kernel.options.pcid ? pcidOfAsid(cpu.tlb.loadedAsid) : 0, false);
}

/** flush_tlb_one_user for each page of the range, which are of `size`. */
export function* flushPages(cpu: Cpu, range: PageRange, size: PageSize = "4K"): KernelCode {
  const step = pagesPer(size);
  for (let page = range.start; page < range.end; page = pageAfter(page, step)) {
    yield* flushPage(cpu, page);
  }
}

/** As flushPages, with what INVPCID is for put off: for flushes that free no tables. */
export function* flushPagesInContext(
  cpu: Cpu,
  range: PageRange,
  size: PageSize = "4K",
): KernelCode {
  const step = pagesPer(size);
  for (let page = range.start; page < range.end; page = pageAfter(page, step)) yield* invlpg(page);
  const { pti, pcid } = cpu.kernel.options;
  if (pti && pcid) putOffUserFlush(cpu, range);
}

/** flush_tlb_one_user without its INVLPG: the pages leave the loaded slot's user PCID. */
export function* flushUserPcid(cpu: Cpu, range: PageRange, size: PageSize = "4K"): KernelCode {
  const { pti, pcid } = cpu.kernel.options;
  if (!pti) return;
  if (pcid && cpu.kernel.protocol.traits.userFlush === "on-return")
    return putOffUserFlush(cpu, range);
  for (let page = range.start; page < range.end; page = pageAfter(page, pagesPer(size))) {
    yield* flushUserPage(cpu, page);
  }
}

/** flush_tlb_one_user: a page in the loaded slot's PCID, in its user PCID too, and globally. */
export function* flushPage(cpu: Cpu, page: PageNumber): KernelCode {
  yield* invlpg(page);
  if (cpu.kernel.options.pti) yield* flushUserPage(cpu, page);
}

/** A page in the loaded slot's user PCID: by INVPCID, or all of that PCID on the way out. */
function* flushUserPage(cpu: Cpu, page: PageNumber): KernelCode {
  const { pcid, invpcid: hasInvpcid } = cpu.kernel.options;
  const { loadedAsid } = cpu.tlb;
  if (pcid && hasInvpcid) yield* invpcid(0, { pcid: userPcidOfAsid(loadedAsid), page });
  else invalidateUserAsid(cpu, loadedAsid);
}

nameFunctions({
  ownLoadedMm,
  storeSlotGeneration,
  enter_lazy_tlb: enterLazy,
  load_new_mm_cr3: loadCr3,
  flush_tlb_local: flushLoaded,
  flush_tlb_one_user: [flushPages, flushUserPcid, flushPage],
  flushPagesInContext,
  flushUserPage,
});
