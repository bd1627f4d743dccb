// LATR (M. Kumar et al., "LATR: Lazy Translation Coherence", ASPLOS 2018) on linux-5.13: munmap and
// MADV_DONTNEED interrupt nobody. They write a state that every CPU finds when it sweeps, at its
// scheduler tick or when it changes address spaces; pages and addresses are given back two ticks
// later. Whatever takes rights away or frees tables flushes as ever, and so does who finds its ring
// full.
//
// Until the sweep the others may use what was unmapped: see docs/protocols/latr.md. Unlike in the
// published kernel, which counts on two ticks being enough, pages also wait until every CPU has
// swept.

import type { Cpu } from "../state/cpu.ts";
import { costs } from "../operation/costs.ts";
import { cpusOf } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  load,
  locked,
  note,
  readJiffies,
  store,
  work,
  workTimes,
} from "../operation/operation.ts";
import { Cell } from "../operation/cell.ts";
import { enterLazy } from "./asid.ts";
import { announceFlush, flushAsAsked, isNotLazy, switchMmAndCatchUp } from "./generation.ts";
import { LATR_STATES, type LatrRing, LatrRings, type LatrState } from "./latr-ring.ts";
import { flushingBy, nativeFlushMulti } from "./linux-5.13.ts";
import type { PostponedUnmap, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

const TICKS_BEFORE_RECLAIM = 2;

const ringOf = (cpu: Cpu): LatrRing => cpu.kernel.part(LatrRings).all[cpu.id]!;

const bitOf = (cpu: number): bigint => 1n << BigInt(cpu);

/** Whether a state is free, and there is somebody to leave it to. */
function* canPostpone(cpu: Cpu, mm: Mm): KernelCode<boolean> {
  const ring = ringOf(cpu);
  const inUse = (yield* load(ring.posted)) - (yield* load(ring.oldest));
  if (inUse >= LATR_STATES) return false;
  return (yield* cpusOf(mm.cpumask)).some((id) => id !== cpu.id);
}

/** Leaves an unmapping to the others' sweeps, and flushes here. Interrupts on. */
function* postpone(cpu: Cpu, { mm, range, frames }: PostponedUnmap): KernelCode<Cell<boolean>> {
  const ring = ringOf(cpu);
  yield* disableInterrupts();
  const info = yield* announceFlush(cpu, { mm, range, freedTables: false });
  let cpus = 0n;
  for (const id of yield* cpusOf(mm.cpumask)) {
    // A lazy CPU compares generations when it comes back, which this barrier is paired with.
    if (id !== cpu.id && (yield* isNotLazy(cpu.kernel.cpus[id]!))) cpus |= bitOf(id);
  }
  const posted = yield* load(ring.posted);
  const state = ring.stateAt(posted);
  yield* work(costs.latrState);
  yield* store(state.info, info);
  yield* store(state.cpus, cpus);
  yield* store(ring.posted, posted + 1);
  if ((yield* load(cpu.tlb.loadedMm)) === mm) yield* flushAsAsked(cpu, info, true);
  const due = (yield* readJiffies()) + TICKS_BEFORE_RECLAIM;
  const isDone = new Cell("latr.reclaimed", state.info.line, false);
  ring.reclaims.push({ state, mm, range, frames, due, isDone });
  yield* enableInterrupts();
  return isDone;
}

/** Flushes what any CPU has left to this one. Interrupts off. */
function* sweep(cpu: Cpu): KernelCode {
  for (const ring of cpu.kernel.part(LatrRings).all) {
    const posted = yield* load(ring.posted);
    const oldest = yield* load(ring.oldest);
    yield* work(costs.latrSweep);
    for (let index = oldest; index < posted; index++) yield* sweepState(cpu, ring.stateAt(index));
  }
  yield* retire(ringOf(cpu));
}

function* sweepState(cpu: Cpu, state: LatrState): KernelCode {
  const bit = bitOf(cpu.id);
  if (((yield* load(state.cpus)) & bit) === 0n) return;
  yield* flushAsAsked(cpu, (yield* load(state.info))!, false);
  yield* locked(state.cpus, (cpus) => cpus & ~bit);
}

/** States of this CPU's own ring that everybody has swept are free again, in order. */
function* retire(ring: LatrRing): KernelCode {
  const posted = yield* load(ring.posted);
  const before = yield* load(ring.oldest);
  let oldest = before;
  while (oldest < posted && (yield* load(ring.stateAt(oldest).cpus)) === 0n) oldest++;
  if (oldest !== before) yield* store(ring.oldest, oldest);
}

/** Gives back what is due and swept, in order. Interrupts off. */
function* reclaim(cpu: Cpu): KernelCode {
  const { reclaims } = ringOf(cpu);
  const now = yield* readJiffies();
  while (reclaims.length > 0 && reclaims[0]!.due <= now) {
    const { state, mm, range, frames, isDone } = reclaims[0]!;
    if (!isMutated(cpu, "latr-reclaims-unswept") && !(yield* isSwept(cpu, state))) return;
    reclaims.shift();
    yield* note({ kind: "pagesFreed", mm, range });
    for (const frame of frames) cpu.kernel.frames.release(frame);
    yield* workTimes(costs.freePage, frames.length);
    yield* store(isDone, true);
  }
}

/** Whether nobody is left; a CPU that has turned lazy since needs not sweep. */
function* isSwept(cpu: Cpu, state: LatrState): KernelCode<boolean> {
  const cpus = yield* load(state.cpus);
  for (const target of cpu.kernel.cpus) {
    if ((cpus & bitOf(target.id)) === 0n) continue;
    if (yield* isNotLazy(target)) return false;
    yield* locked(state.cpus, (left) => left & ~bitOf(target.id));
  }
  return true;
}

export const latr: ShootdownProtocol = {
  name: "latr",
  summary: "linux-5.13, munmap and MADV_DONTNEED left to the sweep of every CPU at its tick",
  source: "Kumar et al., LATR: Lazy Translation Coherence, ASPLOS 2018 (Linux 4.10)",
  ...flushingBy(nativeFlushMulti),
  *switchMm(cpu: Cpu, next: Mm): KernelCode {
    yield* sweep(cpu);
    yield* switchMmAndCatchUp(cpu, next);
  },
  *enterLazy(cpu: Cpu): KernelCode {
    yield* sweep(cpu);
    yield* enterLazy(cpu);
  },
  state: LatrRings,
  tick: {
    *serve(cpu: Cpu): KernelCode {
      yield* sweep(cpu);
      yield* reclaim(cpu);
      yield* retire(ringOf(cpu));
    },
    keepsIdleTicking: (cpu) => ringOf(cpu).reclaims.length > 0,
  },
  lazyUnmap: { canPostpone, postpone },
};

nameFunctions({ canPostpone, postpone, sweep, sweepState, retire, reclaim, isSwept });
