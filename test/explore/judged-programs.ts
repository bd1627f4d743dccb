// Small programs of what checkers judge, and of what they judge it by: notices without the kernel
// around them, so that what is told need not be so.

import type { FrameNumber } from "../../src/base/address.ts";
import { onePage, type Stage } from "../../src/explore/scenarios/stage.ts";
import type { Scenario } from "../../src/explore/scenarios/scenario.ts";
import { clearCpu, setCpu } from "../../src/kernel/cpu/cpumask.ts";
import { Cell } from "../../src/kernel/operation/cell.ts";
import type { KernelNotice } from "../../src/kernel/operation/event.ts";
import {
  exchangeEntry,
  invlpg,
  type KernelCode,
  load,
  locked,
  note,
  store,
  waitUntil,
  writeCr3,
} from "../../src/kernel/operation/operation.ts";
import { preemptVcpu } from "../../src/kernel/operation/vcpu-operation.ts";
import { storeSlotGeneration } from "../../src/kernel/shootdown/asid.ts";
import { VCPU_FLUSH_TLB, VCPU_PREEMPTED } from "../../src/kernel/cpu/steal-time.ts";
import type { Cpu } from "../../src/kernel/state/cpu.ts";
import { leafEntry } from "../../src/kernel/state/leaf-entry.ts";
import type { Mm } from "../../src/kernel/state/mm.ts";
import { ACCESSED, DIRTY } from "../../src/machine/page-table.ts";

interface Place {
  readonly stage: Stage;
  readonly cpu: Cpu;
  /** Of the tasks on all CPUs. */
  readonly mm: Mm;
  /** What the CPU maps in place of what was there. */
  readonly frame: FrameNumber;
  /** What was there. */
  readonly first: bigint;
  /** Of the mm, in use at the start. */
  readonly pcid: number;
  readonly own: Cell<number>;
  readonly flags: readonly [Cell<number>, Cell<number>];
}

const range = onePage();
const page = range.start;
/** No slot's. */
const OTHER_PCID = 9;

/** A notice at a step of its own: it belongs to the step before it. */
function* tell({ own }: Place, notice: KernelNotice): KernelCode {
  yield* load(own);
  yield* note(notice);
}

function* replacePage({ mm, frame }: Place): KernelCode {
  const entry = leafEntry(frame, { writable: true, executable: false });
  yield* exchangeEntry(mm, page, entry | ACCESSED | DIRTY);
}

function* loadRoot({ cpu, mm }: Place, to: Mm): KernelCode {
  const isMarked = to === mm;
  if (isMarked) yield* setCpu(mm.cpumask, cpu.id);
  yield* writeCr3(to.root, 0, false);
}

/** What a CPU may do, in one to five steps. */
export const DEEDS = {
  *flush(place: Place) {
    const { mm } = place;
    yield* tell(place, { kind: "flushBegin", mm, range });
    yield* invlpg(page);
    yield* tell(place, { kind: "flushReturn", mm, range, remote: false });
  },
  replace: replacePage,
  *invalidate() {
    yield* invlpg(page);
  },
  *use({ stage }: Place) {
    yield* stage.touch("read");
  },
  *revoke(place: Place) {
    yield* tell(place, { kind: "revoking", mm: place.mm, range });
    yield* replacePage(place);
    yield* tell(place, { kind: "revoked", mm: place.mm, range });
  },
  *batch(place: Place) {
    yield* tell(place, { kind: "unmapDeferred", mm: place.mm, range });
    yield* tell(place, { kind: "batchFlushBegin" });
    yield* invlpg(page);
    yield* tell(place, { kind: "batchFlushReturn", remote: false });
  },
  *postpone(place: Place) {
    yield* tell(place, { kind: "unmapPostponed", mm: place.mm, range });
  },
  *freePage(place: Place) {
    yield* tell(place, { kind: "pagesFreed", mm: place.mm, range });
  },
  *leave(place: Place) {
    yield* tell(place, { kind: "changeBegin" });
    yield* loadRoot(place, place.stage.kernel.initMm);
    yield* tell(place, { kind: "changeEnd" });
  },
  *enter(place: Place) {
    yield* tell(place, { kind: "changeBegin" });
    yield* loadRoot(place, place.mm);
    yield* tell(place, { kind: "changeEnd" });
  },
  *leaveUntold(place: Place) {
    yield* loadRoot(place, place.stage.kernel.initMm);
  },
  *clearBit({ mm, cpu }: Place) {
    yield* clearCpu(mm.cpumask, cpu.id);
  },
  *clearEntry({ mm }: Place) {
    yield* exchangeEntry(mm, page, 0n);
  },
  *clean({ mm, first }: Place) {
    yield* exchangeEntry(mm, page, first & ~DIRTY);
  },
  *write({ stage }: Place) {
    yield* stage.touch("write");
  },
  *putBack({ mm, first }: Place) {
    yield* exchangeEntry(mm, page, first);
  },
  *rely(place: Place) {
    yield* tell(place, { kind: "revoked", mm: place.mm, range });
  },
  *raiseGeneration({ mm }: Place) {
    yield* locked(mm.tlbGeneration, (old) => old + 1);
  },
  *claim({ mm, cpu }: Place) {
    const generation = yield* load(mm.tlbGeneration);
    yield* storeSlotGeneration(cpu, cpu.tlb.loadedAsid, generation);
    yield* note({ kind: "flushed", mm, how: "full", local: false });
  },
  *beginFlush(place: Place) {
    yield* tell(place, { kind: "flushBegin", mm: place.mm, range });
  },
  *endFlush(place: Place) {
    yield* tell(place, { kind: "flushReturn", mm: place.mm, range, remote: false });
  },
  *leaveKeeping({ stage }: Place) {
    yield* writeCr3(stage.kernel.initMm.root, OTHER_PCID, true);
  },
  *enterKeeping({ mm, cpu, pcid }: Place) {
    yield* setCpu(mm.cpumask, cpu.id);
    yield* writeCr3(mm.root, pcid, true);
  },
  *preemptOther({ stage }: Place) {
    yield* preemptVcpu(stage.cpus[1]);
  },
  *askHostOnly({ stage }: Place) {
    const asked = (state: number): number =>
      state === VCPU_PREEMPTED ? VCPU_PREEMPTED | VCPU_FLUSH_TLB : state;
    if ((yield* locked(stage.cpus[1].preempted, asked)) !== VCPU_PREEMPTED) yield* stage.rest();
  },
  *signal({ flags }: Place) {
    yield* store(flags[0], 1);
  },
  *wait({ flags }: Place) {
    yield* waitUntil(flags[0], (value) => value === 1);
  },
  *signalBack({ flags }: Place) {
    yield* store(flags[1], 1);
  },
  *waitBack({ flags }: Place) {
    yield* waitUntil(flags[1], (value) => value === 1);
  },
  *pass(place: Place) {
    yield* tell(place, { kind: "passed", mm: place.mm, callee: "f" });
  },
  *freeMm({ mm, own }: Place) {
    yield* load(own);
    mm.freed = true;
    yield* note({ kind: "mmFreed", mm });
  },
  *freeRoot(place: Place) {
    yield* tell(place, { kind: "rootFreed", mm: place.mm, root: place.mm.root });
  },
} satisfies Record<string, (place: Place) => KernelCode>;

export type Deed = keyof typeof DEEDS;

/** Those that make sense in any order. */
export const FREE_DEEDS = [
  "flush",
  "replace",
  "invalidate",
  "use",
  "revoke",
  "batch",
  "postpone",
  "freePage",
  "leave",
  "enter",
  "leaveUntold",
  "clearBit",
  "pass",
  "freeMm",
  "freeRoot",
] as const satisfies readonly Deed[];

/** By CPU: what it does, one after the other, to an mm that all of them run on. */
export function scenarioOf(
  program: readonly (readonly Deed[])[],
  { isMapped = true }: { readonly isMapped?: boolean } = {},
): Scenario {
  return {
    name: "judged",
    summary: "a program of a test",
    cpus: program.length,
    prepare(stage) {
      const mm = stage.mm("a");
      const first = mm.tables.entryAt(page);
      if (!isMapped) mm.tables.setEntry(page, 0n);
      const flags = [
        new Cell("flag", { index: -1 }, 0),
        new Cell("flag back", { index: -1 }, 0),
      ] as const;
      for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `task${cpu.id}`, mm));
      const places = stage.cpus.map((cpu): Place => {
        const own = new Cell(`own${cpu.id}`, { index: -1 }, 0);
        const pcid = stage.kernel.machine.pcid(cpu.id);
        return { stage, cpu, mm, own, flags, first, pcid, frame: stage.kernel.frames.allocate() };
      });
      return places.map(
        (place, id) =>
          function* (): KernelCode {
            for (const deed of program[id]!) yield* DEEDS[deed](place);
            yield* stage.rest();
          },
      );
    },
  };
}
