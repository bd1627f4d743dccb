// One ASID, the same on every CPU, for every address space, kept up to date by hardware: what a
// kernel is like whose flushes no CPU has to be told of. There are no generations: a translation
// that is out of date is nowhere, not even in an ASID that is not loaded. mm_cpumask says who has
// ever had the mm; only lazy policies and statistics look at it.

import { LINUX_5_13_TRAITS, type ProtocolTraits } from "../state/protocol-traits.ts";
import { pagesIn } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import type { Broadcast } from "../../machine/broadcast.ts";
import type { Route } from "../../machine/remote.ts";
import type { Cpu } from "../state/cpu.ts";
import { setCpu, testCpu } from "../cpu/cpumask.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import type { Mm } from "../state/mm.ts";
import { fence, type KernelCode, load, note, store } from "../operation/operation.ts";
import { invalidateRemotely } from "../operation/remote-operation.ts";
import { pcidOfAsid } from "../state/tlb-state.ts";
import { enterLazy, loadCr3, ownLoadedMm } from "./asid.ts";
import { allocateGlobalAsid, giveBackGlobalAsid } from "./global-asid.ts";
import type { FlushRequest, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

/** Makes every CPU forget all but global translations, before ASIDs are given out again. */
export type ForgetAll = (cpu: Cpu) => KernelCode;

/** The ASID of init_mm, and of everybody without PCIDs. */
const SHARED_ASID = 0;

/** The mm's ASID, which it gets when it is first loaded. Interrupts off. */
function* asidOf(cpu: Cpu, mm: Mm, forgetAll: ForgetAll): KernelCode<number> {
  const { globalAsids, initMm, options } = cpu.kernel;
  if (!options.pcid || mm === initMm) return SHARED_ASID;
  const known = yield* load(mm.globalAsid);
  if (known !== 0) return known;
  yield* spinLock(globalAsids.lock);
  let asid = yield* load(mm.globalAsid);
  if (asid === 0) {
    asid = yield* allocateGlobalAsid(globalAsids, () => forgetAll(cpu));
    assert(asid !== 0, "there are fewer address spaces than ASIDs");
    yield* store(mm.globalAsid, asid);
  }
  yield* spinUnlock(globalAsids.lock);
  return asid;
}

/** switch_mm_irqs_off: what is cached is up to date, also after lazy use. */
export function* switchMm(cpu: Cpu, next: Mm, forgetAll: ForgetAll): KernelCode {
  const { tlb, kernel } = cpu;
  yield* needInterruptsOff("switch_mm_irqs_off");
  const prev = yield* ownLoadedMm(cpu);
  if (yield* load(tlb.isLazy)) yield* store(tlb.isLazy, false);
  if (prev === next) return;
  const isIn = next === kernel.initMm || (yield* testCpu(next.cpumask, cpu.id));
  if (!isIn) yield* setCpu(next.cpumask, cpu.id);
  const asid = yield* asidOf(cpu, next, forgetAll);
  yield* loadCr3(cpu, next, { asid, flush: !kernel.options.pcid }, 0);
  yield* store(tlb.loadedMm, next);
  tlb.loadedAsid = asid;
}

/** The PCID under which `mm` is cached; null: nobody has loaded it yet. */
export function* pcidOf(cpu: Cpu, mm: Mm): KernelCode<number | null> {
  yield* fence(); // the entries first: whoever loads the mm after this walks through the new ones
  if (!cpu.kernel.options.pcid) return 0;
  const asid = yield* load(mm.globalAsid);
  return asid === 0 ? null : pcidOfAsid(asid);
}

/** Whether another CPU is in the mask: for statistics, no part of the algorithm. */
export const isElsewhere = (cpu: Cpu, mm: Mm): boolean =>
  cpu.kernel.cpus.some(({ id }) => id !== cpu.id && mm.cpumask.has(id));

export interface Hardware {
  readonly route: Route;
  /** Of more pages than this the whole ASID goes. */
  ceilingOf(cpu: Cpu): number;
}

/** A flush by hardware that reaches whom it concerns by itself. */
function* flushRange(cpu: Cpu, request: FlushRequest, hardware: Hardware): KernelCode<boolean> {
  const { mm, range, freedTables } = request;
  const { route } = hardware;
  const pcid = yield* pcidOf(cpu, mm);
  if (pcid !== null) {
    const whole = pagesIn(range) > hardware.ceilingOf(cpu);
    const what: Broadcast = whole ? { extent: "pcid", pcid } : { extent: "pages", pcid, range };
    yield* invalidateRemotely({ what, route, freedTables });
    yield* note({ kind: "flushed", mm, how: whole ? "full" : "ranged", local: true });
  }
  return isElsewhere(cpu, mm);
}

function* invalidateOf(what: Broadcast, { route }: Hardware): KernelCode {
  yield* invalidateRemotely({ what, route, freedTables: false });
}

/** Whoever has ever had the mm is in its mask, and hears of every flush, lazy or not. */
export const ONE_ASID_TRAITS: ProtocolTraits = {
  ...LINUX_5_13_TRAITS,
  isolation: "kernel-pcids",
  freedTables: "leave-lazy-cpus",
  maskOfPrevious: "kept",
};

/** Everything of a protocol except its name. */
export const flushingInHardware = (
  hardware: Hardware,
): Omit<ShootdownProtocol, "name" | "summary" | "source"> => ({
  switchMm: (cpu, next) =>
    switchMm(cpu, next, () => invalidateOf({ extent: "allButGlobals" }, hardware)),
  enterLazy,
  flushRange: (cpu, request) => flushRange(cpu, request, hardware),
  *flushKernelRange(cpu, range) {
    const whole = pagesIn(range) > hardware.ceilingOf(cpu);
    const what: Broadcast = whole ? { extent: "all" } : { extent: "pages", pcid: 0, range };
    yield* invalidateOf(what, hardware);
    const how = whole ? "full" : "ranged";
    yield* note({ kind: "flushed", mm: cpu.kernel.initMm, how, local: true });
  },
  destroyContext: giveBackGlobalAsid,
  traits: ONE_ASID_TRAITS,
});

nameFunctions({
  asidOf,
  switch_mm_irqs_off: switchMm,
  pcidOf,
  flush_tlb_mm_range: flushRange,
  invalidateOf,
});
