// A protocol is one file: this one, made up here, is run, checked and explored as it stands. In the
// package it would be one line more, in protocols.ts.

import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { setCpu } from "../../../src/kernel/cpu/cpumask.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  fence,
  type KernelCode,
  load,
  store,
  writeCr3,
} from "../../../src/kernel/operation/operation.ts";
import { LINUX_5_13_TRAITS } from "../../../src/kernel/state/protocol-traits.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import { callMany, waitForCalls } from "../../../src/kernel/cpu/smp.ts";

/** MOV CR3 that keeps nothing: the toy knows no PCID. */
function* reload(cpu: Cpu, mm: Mm): KernelCode {
  yield* writeCr3(mm.root, 0, false);
  cpu.tlb.cr3Mm = mm;
}

function* switchMm(cpu: Cpu, next: Mm): KernelCode {
  if ((yield* load(cpu.tlb.loadedMm)) === next) return;
  yield* setCpu(next.cpumask, cpu.id);
  yield* reload(cpu, next);
  yield* store(cpu.tlb.loadedMm, next);
}

/** Every CPU that there is empties its TLB, or with `forgets` only the caller's does. */
export const toy = (forgets: boolean): ShootdownProtocol => {
  function* flushHere(target: Cpu): KernelCode {
    yield* reload(target, target.tlb.cr3Mm);
  }
  function* flushEverywhere(cpu: Cpu): KernelCode<boolean> {
    const all = forgets ? [] : cpu.kernel.cpus.map(({ id }) => id);
    yield* fence(); // the entries first, then everybody is asked
    const called = yield* callMany(cpu, all, flushHere, null);
    yield* disableInterrupts();
    yield* flushHere(cpu);
    yield* enableInterrupts();
    yield* waitForCalls(called);
    return !forgets;
  }
  return {
    name: "toy",
    summary: "everybody, always, everything",
    source: "this file",
    traits: { ...LINUX_5_13_TRAITS, pcid: "none", freedTables: "leave-lazy-cpus" },
    switchMm,
    *enterLazy() {},
    flushRange: flushEverywhere,
    *flushKernelRange(cpu) {
      yield* flushEverywhere(cpu);
    },
  };
};
