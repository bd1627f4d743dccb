// The simplest kernel that is right: no PCIDs, no generations, no ranges. A CPU is in mm_cpumask
// from before it loads an address space until after it has loaded another. Every flush, of however
// little, interrupts every CPU of the mask, lazy or not, and each writes CR3; one of kernel pages
// interrupts every CPU, and each empties everything. Nobody is told what has changed.

import { LINUX_5_13_TRAITS } from "../state/protocol-traits.ts";
import type { PageRange } from "../../base/address.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { clearCpu, cpusOf, setCpu } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  fence,
  type KernelCode,
  note,
  store,
  work,
  writeCr3,
} from "../operation/operation.ts";
import { callMany, onEachCpu, waitForCalls } from "../cpu/smp.ts";
import { enterLazy, ownLoadedMm } from "./asid.ts";
import { flushEverything } from "./kernel-range.ts";
import type { FlushRequest, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

const NO_PCID = 0;

/** MOV CR3: drops all that is not global. */
function* loadCr3(cpu: Cpu, mm: Mm): KernelCode {
  yield* writeCr3(mm.root, NO_PCID, false);
  cpu.tlb.cr3Mm = mm;
}

/** Nothing of `next` is cached before CR3 is written: whatever was flushed until then is missed by
 *  nobody. */
function* switchMm(cpu: Cpu, next: Mm): KernelCode {
  const { tlb, kernel } = cpu;
  const prev = yield* ownLoadedMm(cpu);
  yield* store(tlb.isLazy, false);
  if (prev === next) return;
  if (next !== kernel.initMm) yield* setCpu(next.cpumask, cpu.id);
  yield* loadCr3(cpu, next);
  yield* store(tlb.loadedMm, next);
  if (prev !== kernel.initMm) yield* clearCpu(prev.cpumask, cpu.id);
}

/** Interrupts off. A CPU that has gone elsewhere meanwhile flushes for nothing. */
function* flushHere(cpu: Cpu, mm: Mm, local: boolean): KernelCode {
  yield* needInterruptsOff("flush_tlb_func");
  yield* work(costs.flushBody);
  yield* loadCr3(cpu, yield* ownLoadedMm(cpu));
  yield* note({ kind: "flushed", mm, how: "full", local });
}

function* flushRange(cpu: Cpu, { mm }: FlushRequest): KernelCode<boolean> {
  yield* fence(); // the entries first, then the mask
  const mask = yield* cpusOf(mm.cpumask);
  const called = yield* callMany(cpu, mask, (target) => flushHere(target, mm, false));
  if (mask.includes(cpu.id)) {
    yield* disableInterrupts();
    yield* flushHere(cpu, mm, true);
    yield* enableInterrupts();
  }
  yield* waitForCalls(called);
  return mask.some((id) => id !== cpu.id);
}

function* flushAll(cpu: Cpu, initiator: Cpu): KernelCode {
  yield* flushEverything(cpu);
  const { initMm } = cpu.kernel;
  yield* note({ kind: "flushed", mm: initMm, how: "full", local: cpu === initiator });
}

export const alwaysFull: ShootdownProtocol = {
  name: "always-full",
  summary: "every flush interrupts every CPU of mm_cpumask, lazy or not, and empties its TLB",
  source: "no kernel in particular: what others save by ranges, generations and lazy CPUs",
  switchMm,
  enterLazy,
  flushRange,
  flushKernelRange: (cpu: Cpu, _range: PageRange) =>
    onEachCpu(cpu, (target) => flushAll(target, cpu)),
  traits: {
    ...LINUX_5_13_TRAITS,
    pcid: "none",
    isolation: "kernel-pcids",
    freedTables: "leave-lazy-cpus",
    maskOfPrevious: "cleared-after-cr3",
    clearsIsLazy: "always",
    isLazyBeside: "loaded_mm",
  },
};

nameFunctions({
  load_new_mm_cr3: loadCr3,
  switch_mm_irqs_off: switchMm,
  flush_tlb_func: flushHere,
  flush_tlb_mm_range: flushRange,
  flushAll,
});
