// arch/x86/mm/tlb.c of Linux 6.18: as 5.13, with a lazy mm_cpumask. A switch leaves the bit of the
// old mm where it is, and a flush asks each CPU of the mask what it has loaded before it calls it.

import { LINUX_6_18_TRAITS } from "../state/protocol-traits.ts";
import type { PageRange } from "../../base/address.ts";
import type { Cpu } from "../state/cpu.ts";
import { cpusOf } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import {
  HZ,
  invlpgb,
  type KernelCode,
  load,
  locked,
  readJiffies,
  store,
  tlbsync,
} from "../operation/operation.ts";
import { FLUSH_ALL_LOADED, type FlushInfo } from "../state/tlb-state.ts";
import { enterLazy } from "./asid.ts";
import { type FlushBatch } from "../state/flush-batch.ts";
import { addToBatch } from "./batch.ts";
import { broadcastFlush, broadcastKernelFlush } from "./broadcast-flush.ts";
import { considerGlobalAsid, freeGlobalAsid, globalAsidOf } from "./global-asid.ts";
import { flushKernelRange } from "./kernel-range.ts";
import { flushHereWithInterruptsOff, flushMulti } from "./linux-6.18-flush.ts";
import { switchMm } from "./linux-6.18-switch.ts";
import {
  type FlushMulti,
  type FlushRequest,
  isAboveCeiling,
  type ShootdownProtocol,
} from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

/**
 * should_trim_cpumask: at most once a second for each mm. Unlike Linux, the first second begins
 * with the first flush that could trim, not when the mm is made.
 */
function* shouldTrimMask(mm: Mm): KernelCode<boolean> {
  const now = yield* readJiffies();
  const next = yield* load(mm.nextTrim);
  if (next !== 0 && now <= next) return false;
  yield* store(mm.nextTrim, now + HZ);
  return next !== 0;
}

/** flush_tlb_mm_range */
function* flushRange(
  cpu: Cpu,
  request: FlushRequest,
  flushOthers: FlushMulti,
): KernelCode<boolean> {
  const { mm, range, freedTables, pageSize = "4K" } = request;
  const newGeneration = (yield* locked(mm.tlbGeneration, (old) => old + 1)) + 1;
  const flushed = isAboveCeiling(cpu, request) ? null : range;
  const info: FlushInfo = { mm, range: flushed, pageSize, newGeneration, freedTables };
  if ((yield* globalAsidOf(cpu, mm)) !== 0) {
    yield* broadcastFlush(cpu, mm, info);
    return true;
  }
  const mask = yield* cpusOf(mm.cpumask);
  const remote = mask.some((id) => id !== cpu.id);
  if (remote) {
    yield* flushOthers(cpu, mask, { ...info, trimMask: yield* shouldTrimMask(mm) });
    yield* considerGlobalAsid(cpu, mm);
  } else if ((yield* load(cpu.tlb.loadedMm)) === mm) {
    yield* store(cpu.tlb.flushInfo, info);
    yield* flushHereWithInterruptsOff(cpu);
  }
  return remote;
}

/** arch_tlbbatch_flush: everything of whatever mm is loaded, on the batch's CPUs. */
function* flushBatch(cpu: Cpu, batch: FlushBatch, flushOthers: FlushMulti): KernelCode<boolean> {
  const mask = batch.inOrder();
  const remote = mask.some((id) => id !== cpu.id);
  if (cpu.kernel.options.invlpgb === true) {
    yield* invlpgb({ extent: "allButGlobals" });
    yield* tlbsync();
  } else if (remote) yield* flushOthers(cpu, mask, FLUSH_ALL_LOADED);
  else if (mask.length > 0) {
    yield* store(cpu.tlb.flushInfo, FLUSH_ALL_LOADED);
    yield* flushHereWithInterruptsOff(cpu);
  }
  batch.cpus.clear();
  return remote;
}

/** flush_tlb_kernel_range */
const flushKernel = (cpu: Cpu, range: PageRange): KernelCode =>
  cpu.kernel.options.invlpgb === true
    ? broadcastKernelFlush(cpu, range)
    : flushKernelRange(cpu, range);

/** The protocol with another way to reach the CPUs of a mask. */
export const flushing618By = (
  flushOthers: FlushMulti,
): Omit<ShootdownProtocol, "name" | "summary" | "source"> => ({
  traits: LINUX_6_18_TRAITS,
  switchMm,
  enterLazy,
  flushRange: (cpu, request) => flushRange(cpu, request, flushOthers),
  flushKernelRange: flushKernel,
  destroyContext: freeGlobalAsid,
  batchedUnmap: {
    add: addToBatch,
    flush: (cpu, batch) => flushBatch(cpu, batch, flushOthers),
  },
});

export const linux618: ShootdownProtocol = {
  name: "linux-6.18",
  summary: "as 5.13, but CPUs leave mm_cpumask only when a flush finds them there for nothing",
  source: "arch/x86/mm/tlb.c, Linux 6.18 (van Riel, x86/mm/tlb: Update mm_cpumask lazily, 6.14)",
  ...flushing618By(flushMulti),
};

nameFunctions({
  should_trim_cpumask: shouldTrimMask,
  flush_tlb_mm_range: flushRange,
  arch_tlbbatch_flush: flushBatch,
});
