// A shootdown protocol of one's own: every flush interrupts every CPU, which empties its TLB.
//
//   npx shootdown run munmap --protocol examples/everybody.ts,linux-6.18 --set cores=2,8
//   npx shootdown explore exit-while-lazy two-flushers --protocol examples/everybody.ts

import {
  callMany,
  type Cpu,
  disableInterrupts,
  enableInterrupts,
  fence,
  type KernelCode,
  LINUX_5_13_TRAITS,
  load,
  type Mm,
  note,
  setCpu,
  type ShootdownProtocol,
  store,
  waitForCalls,
  writeCr3,
} from "shootdown/kernel";

/** MOV CR3 that keeps nothing: this protocol knows no PCID. */
function* reload(cpu: Cpu, mm: Mm): KernelCode {
  yield* writeCr3(mm.root, 0, false);
  cpu.tlb.cr3Mm = mm;
}

function* flushHere(cpu: Cpu): KernelCode {
  yield* reload(cpu, cpu.tlb.cr3Mm);
}

function* flushEverywhere(cpu: Cpu): KernelCode {
  yield* fence(); // the entries reach memory before any CPU is asked to forget them
  const everybody = cpu.kernel.cpus.map(({ id }) => id);
  const called = yield* callMany(cpu, everybody, flushHere, null);
  yield* disableInterrupts();
  yield* flushHere(cpu);
  yield* enableInterrupts();
  yield* waitForCalls(called);
}

export const everybody: ShootdownProtocol = {
  name: "everybody",
  summary: "every flush interrupts every CPU, which empties its TLB",
  source: "an example",
  traits: {
    ...LINUX_5_13_TRAITS,
    pcid: "none",
    isolation: "none",
    freedTables: "leave-lazy-cpus",
    maskOfPrevious: "kept",
  },
  *switchMm(cpu, next) {
    if ((yield* load(cpu.tlb.loadedMm)) === next) return;
    yield* setCpu(next.cpumask, cpu.id);
    yield* reload(cpu, next);
    yield* store(cpu.tlb.loadedMm, next);
  },
  *enterLazy() {},
  *flushRange(cpu, { mm }) {
    yield* flushEverywhere(cpu);
    yield* note({ kind: "flushed", mm, how: "full", local: true });
    return cpu.kernel.cpus.length > 1;
  },
  *flushKernelRange(cpu) {
    yield* flushEverywhere(cpu);
  },
};
