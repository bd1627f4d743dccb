// arch/x86/mm/tlb.c of Linux 5.13: loaded_mm, six ASID slots with generations, lazy CPUs skipped
// unless page tables are freed, and the local flush runs while the IPIs are in flight.

import { pagesIn } from "../../base/address.ts";
import { costs } from "../costs.ts";
import type { Cpu } from "../cpu.ts";
import { clearCpu, cpusOf, setCpu } from "../cpu-mask.ts";
import type { Mm } from "../mm.ts";
import { isMutated } from "../mutation.ts";
import {
  disableInterrupts,
  enableInterrupts,
  fence,
  type Kernel,
  load,
  locked,
  note,
  store,
  work,
} from "../operation.ts";
import { callMany, waitForCalls } from "../smp.ts";
import type { FlushInfo } from "../tlb-state.ts";
import { chooseAsid, enterLazy, flushLoaded, flushPages, loadCr3, ownLoadedMm } from "./asid.ts";
import type { FlushRequest, ShootdownProtocol } from "./protocol.ts";

/** switch_mm_irqs_off */
function* switchMm(cpu: Cpu, next: Mm): Kernel {
  const { tlb, kernel } = cpu;
  const realPrev = yield* ownLoadedMm(cpu);
  const wasLazy = yield* load(tlb.isLazy);
  if (wasLazy) yield* store(tlb.isLazy, false);
  if (realPrev === next) {
    if (!wasLazy) return;
    // Pairs with the full barrier of the generation's increment: either the flusher sees that this
    // CPU is not lazy, or this CPU sees the new generation.
    yield* fence();
    const generation = yield* load(next.tlbGeneration);
    if (tlb.contexts[tlb.loadedAsid]!.tlbGeneration === generation) return;
    yield* loadCr3(cpu, next, { asid: tlb.loadedAsid, flush: true }, generation);
    return;
  }
  if (realPrev !== kernel.initMm) yield* clearCpu(realPrev.cpumask, cpu.id);
  // From the next locked operation on, flushes of `next` interrupt this CPU; only then is the
  // generation read.
  if (next !== kernel.initMm) yield* setCpu(next.cpumask, cpu.id);
  const generation = yield* load(next.tlbGeneration);
  const slot = chooseAsid(cpu, next, generation);
  yield* loadCr3(cpu, next, slot, generation);
  yield* store(tlb.loadedMm, next);
  tlb.loadedAsid = slot.asid;
}

/** flush_tlb_func, on the initiator and on every CPU that it called. Interrupts off. */
function* flushHere(cpu: Cpu, initiator: Cpu): Kernel {
  const { tlb } = cpu;
  const local = cpu === initiator;
  const info = (yield* load(initiator.tlb.flushInfo))!;
  const mm = yield* ownLoadedMm(cpu);
  const context = tlb.contexts[tlb.loadedAsid]!;
  const mmGeneration = yield* load(mm.tlbGeneration);
  yield* work(costs.flushBody);
  if (info.mm !== null && mm !== info.mm) {
    return yield* note({ kind: "flushed", mm: info.mm, how: "skipped", local });
  }
  if (yield* load(tlb.isLazy)) {
    // Lazy: do not flush, leave. The mask bit goes too, so no further flush comes here.
    yield* switchMm(cpu, cpu.kernel.initMm);
    yield* cpu.kernel.lazyPolicy.lazyFlushed(cpu, mm);
    return yield* note({ kind: "flushed", mm, how: "skipped", local });
  }
  if (context.tlbGeneration === mmGeneration) {
    return yield* note({ kind: "flushed", mm, how: "skipped", local });
  }
  // A ranged flush brings the slot from the generation before this one to this one, and no further.
  const inOrder =
    info.newGeneration === context.tlbGeneration + 1 && info.newGeneration === mmGeneration;
  const ranged = info.range !== null && (inOrder || isMutated(cpu, "ranged-flush-over-gap"));
  if (ranged) yield* flushPages(info.range!);
  else yield* flushLoaded(cpu, mm);
  context.tlbGeneration = mmGeneration;
  yield* note({ kind: "flushed", mm, how: ranged ? "ranged" : "full", local });
}

function* flushHereWithInterruptsOff(cpu: Cpu): Kernel {
  yield* disableInterrupts();
  yield* flushHere(cpu, cpu);
  yield* enableInterrupts();
}

/** flush_tlb_multi: queue and interrupt, flush here meanwhile, wait. */
function* flushMulti(cpu: Cpu, mask: readonly number[], info: FlushInfo): Kernel {
  const notLazy = function* (target: Cpu): Kernel<boolean> {
    return !(yield* load(target.tlb.isLazy));
  };
  const condition = info.freedTables ? null : notLazy;
  const called = yield* callMany(cpu, mask, (target) => flushHere(target, cpu), condition);
  const here = mask.includes(cpu.id) && (condition === null || (yield* condition(cpu)));
  if (here) yield* flushHereWithInterruptsOff(cpu);
  yield* waitForCalls(called);
}

/** flush_tlb_mm_range */
function* flushRange(cpu: Cpu, { mm, range, freedTables }: FlushRequest): Kernel<boolean> {
  const newGeneration = (yield* locked(mm.tlbGeneration, (old) => old + 1)) + 1;
  const whole = pagesIn(range) > cpu.kernel.options.flushCeiling;
  const info: FlushInfo = { mm, range: whole ? null : range, newGeneration, freedTables };
  yield* store(cpu.tlb.flushInfo, info);
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
  switchMm,
  enterLazy,
  flushRange,
};
