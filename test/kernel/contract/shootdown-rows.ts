// src/kernel/shootdown: what protocols are made of. What they do for the rest of the kernel goes by
// src/kernel/memory/flush.ts and src/kernel/cpu/switch-mm.ts, which have the contracts.

import { enterLazy, loadCr3, ownLoadedMm } from "../../../src/kernel/shootdown/asid.ts";
import { addToBatch } from "../../../src/kernel/shootdown/batch.ts";
import { broadcastFlush } from "../../../src/kernel/shootdown/broadcast-flush.ts";
import { freebsd, shootDown } from "../../../src/kernel/shootdown/freebsd.ts";
import {
  announceFlush,
  catchUp,
  changeLoadedMm,
  flushAsAsked,
  flushHere,
  flushHereWithInterruptsOff,
  switchMmAndCatchUp,
} from "../../../src/kernel/shootdown/generation.ts";
import { allocateGlobalAsid } from "../../../src/kernel/shootdown/global-asid.ts";
import { flushEverything, flushKernelRange } from "../../../src/kernel/shootdown/kernel-range.ts";
import {
  addHolders,
  flushBatch,
  flushHolders,
  linux48,
} from "../../../src/kernel/shootdown/linux-4.8.ts";
import { nativeFlushMulti } from "../../../src/kernel/shootdown/linux-5.13.ts";
import * as flush618 from "../../../src/kernel/shootdown/linux-6.18-flush.ts";
import * as switch618 from "../../../src/kernel/shootdown/linux-6.18-switch.ts";
import { linux618 } from "../../../src/kernel/shootdown/linux-6.18.ts";
import * as oneAsid from "../../../src/kernel/shootdown/one-asid.ts";
import { FlushBatch } from "../../../src/kernel/state/flush-batch.ts";
import type { FlushInfo } from "../../../src/kernel/state/tlb-state.ts";
import { type Given, needs, nothing, type Rows } from "./contract.ts";
import { GLOBAL_ASID_LOCK, INTERRUPTS_OFF, INTERRUPTS_ON, PAGE_TABLE_LOCK } from "./need.ts";

const LOOKS = "looks at shared state";
const NOT_PREEMPTED = "must not be preempted, as nothing here is";
const SAVES = "raw_spin_lock_irqsave: in any context";

const SLOT = { asid: 0, flush: true };

const infoOf = ({ mm, range }: Given): FlushInfo => ({
  mm,
  range,
  newGeneration: 1,
  freedTables: false,
});

/** What a flush function reads. */
const before = ({ cpu, request }: Given) => announceFlush(cpu, request);

const protocol = linux618;
const by618 = { protocol, before };

export const SHOOTDOWN_ROWS: Rows = {
  "shootdown/asid": {
    storeSlotGeneration: "one store; who compares before it has interrupts off",
    ownLoadedMm: needs({ ownLoadedMm: INTERRUPTS_OFF }, ({ cpu }) => ownLoadedMm(cpu)),
    enterLazy: needs({ enter_lazy_tlb: INTERRUPTS_OFF }, ({ cpu }) => enterLazy(cpu)),
    loadCr3: needs({ load_new_mm_cr3: INTERRUPTS_OFF }, ({ cpu, mm }) => loadCr3(cpu, mm, SLOT, 1)),
    flushLoaded: NOT_PREEMPTED,
    flushPages: NOT_PREEMPTED,
    flushPagesInContext: NOT_PREEMPTED,
    flushUserPcid: NOT_PREEMPTED,
    flushPage: NOT_PREEMPTED,
  },
  "shootdown/batch": {
    addToBatch: needs({ arch_tlbbatch_add_mm: PAGE_TABLE_LOCK }, ({ cpu, mm }) =>
      addToBatch(cpu, new FlushBatch(), { mm, taken: 0n }),
    ),
  },
  "shootdown/batched-calls": {
    isInUserReach: LOOKS,
  },
  "shootdown/broadcast-flush": {
    broadcastFlush: needs(
      { broadcast_tlb_flush: INTERRUPTS_ON },
      (given) => broadcastFlush(given.cpu, given.mm, infoOf(given)),
      { comesBack: false },
    ),
    broadcastKernelFlush: "asks no CPU; flush_tlb_kernel_range has the contract",
  },
  "shootdown/freebsd": {
    giveUpPcids: NOT_PREEMPTED,
    shootDown: needs(
      { smp_targeted_tlb_shootdown: INTERRUPTS_ON },
      ({ cpu, other, mm }) => shootDown(cpu, [other.id], { mm, range: null }),
      { protocol: freebsd },
    ),
  },
  "shootdown/generation": {
    changeLoadedMm: needs({ switch_mm_irqs_off: INTERRUPTS_OFF }, ({ cpu, mm }) =>
      changeLoadedMm(cpu, cpu.kernel.initMm, mm),
    ),
    catchUp: needs({ switch_mm_irqs_off: INTERRUPTS_OFF }, ({ cpu, mm }) => catchUp(cpu, mm)),
    switchMmAndCatchUp: needs({ switch_mm_irqs_off: INTERRUPTS_OFF }, ({ cpu, mm }) =>
      switchMmAndCatchUp(cpu, mm),
    ),
    isNotLazy: LOOKS,
    announceFlush: "one locked operation, and a store of its own",
    flushHere: needs({ flush_tlb_func: INTERRUPTS_OFF }, ({ cpu }) => flushHere(cpu, cpu), {
      before,
    }),
    flushAsAsked: needs(
      { flush_tlb_func: INTERRUPTS_OFF },
      (given) => flushAsAsked(given.cpu, infoOf(given), true),
      { before },
    ),
    flushHereWithInterruptsOff: needs(
      { flush_tlb_mm_range: INTERRUPTS_ON },
      ({ cpu }) => flushHereWithInterruptsOff(cpu),
      { before },
    ),
  },
  "shootdown/global-asid": {
    globalAsidOf: LOOKS,
    needsGlobalAsid: LOOKS,
    inTransition: LOOKS,
    considerGlobalAsid: SAVES,
    allocateGlobalAsid: needs({ allocate_global_asid: GLOBAL_ASID_LOCK }, ({ cpu }) =>
      allocateGlobalAsid(cpu.kernel.globalAsids, nothing),
    ),
    freeGlobalAsid: SAVES,
    giveBackGlobalAsid: SAVES,
  },
  "shootdown/kernel-range": {
    flushKernelRange: needs({ on_each_cpu_cond_mask: INTERRUPTS_ON }, ({ cpu, kernelRange }) =>
      flushKernelRange(cpu, kernelRange),
    ),
    flushEverything: needs({ __flush_tlb_all: INTERRUPTS_OFF }, ({ cpu }) => flushEverything(cpu)),
  },
  "shootdown/linux-4.8": {
    flushHolders: needs(
      { flush_tlb_mm_range: INTERRUPTS_ON },
      ({ cpu, request }) => flushHolders(cpu, request, null),
      { protocol: linux48 },
    ),
    addHolders: needs(
      { set_tlb_ubc_flush_pending: PAGE_TABLE_LOCK },
      ({ mm }) => addHolders(new FlushBatch(), mm, null),
      { protocol: linux48 },
    ),
    flushBatch: needs(
      { try_to_unmap_flush: INTERRUPTS_ON },
      ({ cpu }) => flushBatch(cpu, new FlushBatch()),
      { protocol: linux48 },
    ),
  },
  "shootdown/linux-5.13": {
    nativeFlushMulti: needs(
      { smp_call_function_many_cond: INTERRUPTS_ON },
      (given) => nativeFlushMulti(given.cpu, [given.other.id], infoOf(given)),
      { before },
    ),
  },
  "shootdown/linux-6.18-flush": {
    flushHereWithInterruptsOff: needs(
      { flush_tlb_mm_range: INTERRUPTS_ON },
      ({ cpu }) => flush618.flushHereWithInterruptsOff(cpu),
      by618,
    ),
    flushMulti: needs(
      { smp_call_function_many_cond: INTERRUPTS_ON },
      (given) => flush618.flushMulti(given.cpu, [given.other.id], infoOf(given)),
      by618,
    ),
  },
  "shootdown/linux-6.18-switch": {
    switchMm: needs(
      { switch_mm_irqs_off: INTERRUPTS_OFF },
      ({ cpu, mm }) => switch618.switchMm(cpu, mm),
      { protocol },
    ),
  },
  "shootdown/one-asid": {
    switchMm: needs({ switch_mm_irqs_off: INTERRUPTS_OFF }, ({ cpu, mm }) =>
      oneAsid.switchMm(cpu, mm, nothing),
    ),
    pcidOf: LOOKS,
  },
};
