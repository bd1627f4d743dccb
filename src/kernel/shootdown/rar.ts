// Intel's Remote Action Request as Linux was offered it in 2025: payloads in one table for all
// CPUs, an action vector per CPU that says which of them are for it, the RAR vector by the ICR, and
// microcode that does the work whatever the interrupt flag says. The initiator waits for each
// target's entry. Generations are not kept: whoever has ever had the mm is called, lazy or not.

import { pagesIn } from "../../base/address.ts";
import type { Restore } from "../../base/restore.ts";
import type { Broadcast } from "../../machine/broadcast.ts";
import { Cell } from "../operation/cell.ts";
import type { Cpu } from "../state/cpu.ts";
import { among, cpusOf } from "../cpu/cpumask.ts";
import type { Kernel, KernelPart } from "../state/kernel.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import { type KernelCode, note, store, waitUntil } from "../operation/operation.ts";
import { ACTION_DONE, ACTION_PENDING, sendActions } from "../operation/remote-operation.ts";
import { enterLazy } from "./asid.ts";
import { giveBackGlobalAsid } from "./global-asid.ts";
import { isElsewhere, ONE_ASID_TRAITS, pcidOf, switchMm } from "./one-asid.ts";
import type { FlushRequest, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

/** RAR_MAX_PAYLOADS, RAR_INVLPG_MAX_PAGES */
const PAYLOADS = 64;
const PAYLOAD_PAGES = 63;

/** rar_payload, rar_locks and rar_action: a line for each payload, lock and action vector. */
class RarTable implements KernelPart {
  readonly locks: readonly Cell<number>[];
  readonly payloads: readonly Cell<Broadcast | null>[];
  private readonly actions: readonly (readonly Cell<number>[])[];

  constructor(kernel: Kernel) {
    const slots = Array.from({ length: Math.min(PAYLOADS, kernel.cpus.length) }, (_, slot) => slot);
    this.locks = slots.map((slot) => new Cell(`rar_locks[${slot}]`, kernel.allocateLine(slot), 0));
    this.payloads = slots.map(
      (slot) => new Cell<Broadcast | null>(`rar_payload[${slot}]`, kernel.allocateLine(slot), null),
    );
    this.actions = kernel.cpus.map(({ id }) => {
      const line = kernel.allocateLine(id);
      return slots.map((slot) => new Cell(`cpu${id}.rar_action[${slot}]`, line, ACTION_DONE));
    });
  }

  /** All of it is cells. */
  save(): Restore {
    return () => {};
  }

  action(cpu: number, slot: number): Cell<number> {
    return this.actions[cpu]![slot]!;
  }
}

/** smp_call_rar_many. This CPU may be one of the targets; it may not change. */
function* callRarMany(cpu: Cpu, mask: readonly number[], what: Broadcast): KernelCode {
  const table = cpu.kernel.part(RarTable);
  const slot = cpu.id % PAYLOADS;
  const online = yield* among(cpu.kernel.onlineMask, mask);
  const targets = online.map((id) => ({ cpu: id, status: table.action(id, slot) }));
  yield* spinLock(table.locks[slot]!);
  yield* store(table.payloads[slot]!, what);
  for (const { status } of targets) yield* store(status, ACTION_PENDING);
  yield* sendActions(what, targets);
  for (const { status } of targets) yield* waitUntil(status, (value) => value === ACTION_DONE);
  yield* spinUnlock(table.locks[slot]!);
}

const everybody = ({ kernel }: Cpu): number[] => kernel.cpus.map(({ id }) => id);

/** flush_tlb_mm_range: rar_tlb_flush */
function* flushRange(cpu: Cpu, { mm, range }: FlushRequest): KernelCode<boolean> {
  const pcid = yield* pcidOf(cpu, mm);
  if (pcid === null) return false;
  const whole = pagesIn(range) >= PAYLOAD_PAGES;
  const what: Broadcast = whole ? { extent: "pcid", pcid } : { extent: "pages", pcid, range };
  yield* callRarMany(cpu, yield* cpusOf(mm.cpumask), what);
  yield* note({ kind: "flushed", mm, how: whole ? "full" : "ranged", local: true });
  return isElsewhere(cpu, mm);
}

export const rar: ShootdownProtocol = {
  state: RarTable,
  name: "rar",
  summary: "Remote Action Request: microcode invalidates, whatever the interrupt flag says",
  source: "Intel 341431; Rik van Riel, Intel RAR TLB invalidation (RFC v4, June 2025)",
  switchMm: (cpu, next) =>
    switchMm(cpu, next, () => callRarMany(cpu, everybody(cpu), { extent: "allButGlobals" })),
  enterLazy,
  flushRange,
  // Payloads that name pages leave global translations: kernel pages go with everything.
  *flushKernelRange(cpu) {
    yield* callRarMany(cpu, everybody(cpu), { extent: "all" });
    yield* note({ kind: "flushed", mm: cpu.kernel.initMm, how: "full", local: true });
  },
  destroyContext: giveBackGlobalAsid,
  traits: { ...ONE_ASID_TRAITS, vendor: "Intel" },
};

nameFunctions({ smp_call_rar_many: callRarMany, flush_tlb_mm_range: flushRange });
