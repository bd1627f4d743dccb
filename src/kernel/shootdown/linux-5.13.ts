// arch/x86/mm/tlb.c of Linux 5.13: loaded_mm, six ASID slots with generations, lazy CPUs skipped
// unless page tables are freed, and the local flush runs while the IPIs are in flight.

import { LINUX_5_13_TRAITS } from "../state/protocol-traits.ts";
import type { Cpu } from "../state/cpu.ts";
import { cpusOf } from "../cpu/cpumask.ts";
import { type KernelCode, load, store } from "../operation/operation.ts";
import { callable, type CallCondition, callMany, waitForCalls } from "../cpu/smp.ts";
import { type CallFunction } from "../state/call-queue.ts";
import { FLUSH_ALL_LOADED, type FlushInfo } from "../state/tlb-state.ts";
import { type FlushBatch } from "../state/flush-batch.ts";
import { addToBatch } from "./batch.ts";
import { enterLazy } from "./asid.ts";
import {
  announceFlush,
  flushHere,
  flushHereWithInterruptsOff,
  isNotLazy,
  switchMmAndCatchUp,
} from "./generation.ts";
import { flushKernelRange } from "./kernel-range.ts";
import type { FlushMulti, FlushRequest, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

/** How a flush of `cpu` reaches a CPU that it calls, and whom it may pass over. */
export interface Calling {
  run(cpu: Cpu, info: FlushInfo): CallFunction;
  /** Nobody is passed over by a flush that frees tables. */
  readonly condition: CallCondition;
}

/** native_flush_tlb_multi: queue and interrupt, flush here meanwhile, wait. */
export function flushMultiBy(calling: Calling): FlushMulti {
  const flushMulti: FlushMulti = function* (cpu, mask, info) {
    const here = mask.includes(cpu.id) && (info.freedTables || (yield* isNotLazy(cpu)));
    const targets = info.freedTables ? mask : yield* callable(cpu, mask, calling.condition);
    const called = yield* callMany(cpu, targets, calling.run(cpu, info));
    if (here) yield* flushHereWithInterruptsOff(cpu);
    yield* waitForCalls(called);
  };
  nameFunctions({ flush_tlb_multi: flushMulti });
  return flushMulti;
}

export const nativeFlushMulti = flushMultiBy({
  run: (cpu) => (target) => flushHere(target, cpu),
  condition: isNotLazy,
});

/** flush_tlb_mm_range */
function* flushRange(cpu: Cpu, request: FlushRequest, flushMulti: FlushMulti): KernelCode<boolean> {
  const info = yield* announceFlush(cpu, request);
  const { mm } = request;
  const mask = yield* cpusOf(mm.cpumask);
  const remote = mask.some((id) => id !== cpu.id);
  if (remote) yield* flushMulti(cpu, mask, info);
  else if ((yield* load(cpu.tlb.loadedMm)) === mm) yield* flushHereWithInterruptsOff(cpu);
  return remote;
}

/** arch_tlbbatch_flush: everything of whatever mm is loaded, on the batch's CPUs. */
function* flushBatch(cpu: Cpu, batch: FlushBatch, flushMulti: FlushMulti): KernelCode<boolean> {
  yield* store(cpu.tlb.flushInfo, FLUSH_ALL_LOADED);
  const mask = batch.inOrder();
  const remote = mask.some((id) => id !== cpu.id);
  if (remote) yield* flushMulti(cpu, mask, FLUSH_ALL_LOADED);
  else if (mask.length > 0) yield* flushHereWithInterruptsOff(cpu);
  batch.cpus.clear();
  return remote;
}

/** The protocol with another way to reach the CPUs of a mask. */
export const flushingBy = (
  flushMulti: FlushMulti,
): Omit<ShootdownProtocol, "name" | "summary" | "source"> => ({
  switchMm: switchMmAndCatchUp,
  traits: LINUX_5_13_TRAITS,
  enterLazy,
  flushRange: (cpu, request) => flushRange(cpu, request, flushMulti),
  flushKernelRange,
  batchedUnmap: {
    add: addToBatch,
    flush: (cpu, batch) => flushBatch(cpu, batch, flushMulti),
  },
});

export const linux513: ShootdownProtocol = {
  name: "linux-5.13",
  summary: "generations and six ASIDs, lazy CPUs skipped, local flush concurrent with the IPIs",
  source:
    "arch/x86/mm/tlb.c, Linux 5.13 (Amit, x86/mm/tlb: Flush remote and local TLBs concurrently)",
  ...flushingBy(nativeFlushMulti),
};

nameFunctions({ flush_tlb_mm_range: flushRange, arch_tlbbatch_flush: flushBatch });
