// No lazy TLB: a CPU that stops running user tasks goes to init_mm at once. Nothing to keep alive;
// every round trip pays two CR3 writes, two mask updates, and without PCID the refills.

import { disableInterrupts, enableInterrupts } from "../operation/operation.ts";
import { switchMm } from "../cpu/switch-mm.ts";
import { noHooks } from "./hooks.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";

export const eager: LazyPolicy = {
  name: "eager",
  summary: "no lazy TLB: kernel threads and idle always run on init_mm",
  source: "the alternative to lazy TLB; arch/x86/mm/tlb.c of Linux 4.14 with PCID came close",
  lifetime: "not needed",
  expected: "ok",
  traits: { aliveBy: "not-borrowed", previousMm: "named", era: "any" },
  lazyReference: "none",
  ...noHooks,
  *userToKernel(cpu, prev, next) {
    next.activeMm = cpu.kernel.initMm;
    yield* switchMm(cpu, prev.mm, cpu.kernel.initMm);
  },
  *kernelToKernel(cpu, _prev, next) {
    next.activeMm = cpu.kernel.initMm;
  },
  *userToUser(cpu, prev, next) {
    yield* switchMm(cpu, prev.mm, next.mm!);
  },
  *kernelToUser(cpu, _prev, next) {
    yield* switchMm(cpu, cpu.kernel.initMm, next.mm!);
  },
  *finishSwitch() {},
  *exitMm(cpu, task, mm) {
    yield* disableInterrupts();
    task.mm = null;
    task.activeMm = cpu.kernel.initMm;
    yield* switchMm(cpu, mm, cpu.kernel.initMm);
    yield* enableInterrupts();
  },
  *execMm(cpu, task, next) {
    yield* disableInterrupts();
    const old = task.mm;
    task.mm = next;
    task.activeMm = next;
    yield* switchMm(cpu, old, next);
    yield* enableInterrupts();
  },
  *useMm(cpu, task, mm) {
    yield* disableInterrupts();
    task.mm = mm;
    task.activeMm = mm;
    yield* switchMm(cpu, cpu.kernel.initMm, mm);
    yield* enableInterrupts();
  },
  *unuseMm(cpu, task, mm) {
    yield* disableInterrupts();
    task.mm = null;
    task.activeMm = cpu.kernel.initMm;
    yield* switchMm(cpu, mm, cpu.kernel.initMm);
    yield* enableInterrupts();
  },
  *forceInitMm() {}, // nobody borrows anything else
  *finishCpu(_cpu, idle) {
    idle.activeMm = null;
  },
};
