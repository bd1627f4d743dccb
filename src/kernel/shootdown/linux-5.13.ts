// arch/x86/mm/tlb.c of Linux 5.13: loaded_mm, six ASID slots with generations, lazy CPUs skipped
// unless page tables are freed, and the local flush runs while the IPIs are in flight.

import type { Cpu } from "../cpu.ts";
import { cpusOf } from "../cpu-mask.ts";
import { type Kernel, load } from "../operation.ts";
import { callMany, waitForCalls } from "../smp.ts";
import type { FlushInfo } from "../tlb-state.ts";
import {
  announceFlush,
  enterLazy,
  flushHere,
  flushHereWithInterruptsOff,
  isNotLazy,
  switchMmAndCatchUp,
} from "./generation.ts";
import { flushKernelRange } from "./kernel-range.ts";
import type { FlushRequest, ShootdownProtocol } from "./protocol.ts";

/** flush_tlb_multi: queue and interrupt, flush here meanwhile, wait. */
function* flushMulti(cpu: Cpu, mask: readonly number[], info: FlushInfo): Kernel {
  const condition = info.freedTables ? null : isNotLazy;
  const called = yield* callMany(cpu, mask, (target) => flushHere(target, cpu), condition);
  const here = mask.includes(cpu.id) && (condition === null || (yield* condition(cpu)));
  if (here) yield* flushHereWithInterruptsOff(cpu);
  yield* waitForCalls(called);
}

/** flush_tlb_mm_range */
function* flushRange(cpu: Cpu, request: FlushRequest): Kernel<boolean> {
  const info = yield* announceFlush(cpu, request);
  const { mm } = request;
  const mask = yield* cpusOf(mm.cpumask);
  const remote = mask.some((id) => id !== cpu.id);
  if (remote) yield* flushMulti(cpu, mask, info);
  else if ((yield* load(cpu.tlb.loadedMm)) === mm) yield* flushHereWithInterruptsOff(cpu);
  return remote;
}

export const linux513: ShootdownProtocol = {
  name: "linux-5.13",
  summary: "generations and six ASIDs, lazy CPUs skipped, local flush concurrent with the IPIs",
  source:
    "arch/x86/mm/tlb.c, Linux 5.13 (Amit, x86/mm/tlb: Flush remote and local TLBs concurrently)",
  switchMm: switchMmAndCatchUp,
  enterLazy,
  flushRange,
  flushKernelRange,
};
