// src/kernel/cpu and src/kernel/lazy.

import { batchedCall } from "../../../src/kernel/cpu/batched-call.ts";
import { contextSwitch } from "../../../src/kernel/cpu/context-switch.ts";
import { idleLoop } from "../../../src/kernel/cpu/idle.ts";
import { returnToUser, serveInterrupt } from "../../../src/kernel/cpu/interrupt.ts";
import {
  backToUser,
  enterKernel,
  leaveKernel,
  switchToKernelCr3,
  switchToUserCr3,
} from "../../../src/kernel/cpu/pti.ts";
import { preemptIfNeeded, schedule, scheduleTo } from "../../../src/kernel/cpu/schedule.ts";
import { callMany, flushCallQueue, onEachCpu, waitForCalls } from "../../../src/kernel/cpu/smp.ts";
import {
  enterLazyTlb,
  leaveLazyMm,
  switchMm,
  switchMmTo,
} from "../../../src/kernel/cpu/switch-mm.ts";
import { inKernel, syscall } from "../../../src/kernel/cpu/syscall.ts";
import { waitEvent } from "../../../src/kernel/cpu/wait-event.ts";
import { activateMm, switchKernelThread } from "../../../src/kernel/lazy/active-mm.ts";
import { forgetFlushedMm, shootLazyUsers } from "../../../src/kernel/lazy/end-lazy-use.ts";
import { RESCHEDULE_VECTOR } from "../../../src/kernel/operation/vectors.ts";
import { linux48 } from "../../../src/kernel/shootdown/linux-4.8.ts";
import { asUserTask, type Does, needs, nothing, type Rows } from "./contract.ts";
import { INTERRUPTS_OFF, INTERRUPTS_ON, MAY_SLEEP, NOTHING_HELD, RUN_QUEUE_LOCK } from "./need.ts";

const ATOMIC = "loads, or one locked operation: in any context";

/** One whose own switch and lazy mode leave the contract to those that call them. */
const protocol = linux48;

/** Where user mode's root is the current one. */
const fromUserRoot = (does: Does): Does =>
  function* (given) {
    given.cpu.tlb.onUserRoot = true;
    yield* does(given);
  };

export const CPU_ROWS: Rows = {
  "cpu/batched-call": {
    batchedCall: needs({ batchedCall: MAY_SLEEP }, ({ cpu }) => batchedCall(cpu, nothing())),
  },
  "cpu/context-switch": {
    contextSwitch: needs(
      { context_switch: [INTERRUPTS_OFF, RUN_QUEUE_LOCK] },
      ({ cpu, task }) => contextSwitch(cpu, task, cpu.idle),
      { comesBack: false },
    ),
  },
  "cpu/cpumask": {
    setCpu: ATOMIC,
    clearCpu: ATOMIC,
    testCpu: ATOMIC,
    cpusOf: ATOMIC,
    among: ATOMIC,
  },
  "cpu/idle": {
    idleLoop: needs({ do_idle: MAY_SLEEP }, ({ cpu }) => idleLoop(cpu), { comesBack: false }),
  },
  "cpu/interrupt": {
    serveInterrupt: needs(
      { sysvec_call_function: INTERRUPTS_OFF },
      ({ cpu }) => serveInterrupt(cpu, RESCHEDULE_VECTOR),
      { comesBack: false },
    ),
    returnToUser: needs(
      { exit_to_user_mode: NOTHING_HELD },
      asUserTask(({ cpu }) => returnToUser(cpu)),
    ),
  },
  "cpu/play-dead": {
    playDead: "turns interrupts off by itself, for good",
  },
  "cpu/pti": {
    switchToKernelCr3: needs(
      { SWITCH_TO_KERNEL_CR3: INTERRUPTS_OFF },
      fromUserRoot(({ cpu }) => switchToKernelCr3(cpu)),
      { pti: true },
    ),
    switchToUserCr3: needs(
      { SWITCH_TO_USER_CR3: INTERRUPTS_OFF },
      function* ({ cpu }) {
        yield* switchToUserCr3(cpu);
        yield* switchToKernelCr3(cpu);
      },
      { pti: true },
    ),
    enterKernel: needs(
      { enterKernel: INTERRUPTS_ON },
      fromUserRoot(({ cpu }) => enterKernel(cpu)),
      { pti: true },
    ),
    leaveKernel: needs(
      { exit_to_user_mode: NOTHING_HELD },
      asUserTask(({ cpu }) => leaveKernel(cpu)),
    ),
    backToUser: needs(
      { exit_to_user_mode: INTERRUPTS_ON },
      function* ({ cpu }) {
        yield* backToUser(cpu);
        yield* enterKernel(cpu);
      },
      { pti: true },
    ),
  },
  "cpu/schedule": {
    schedule: needs({ schedule: MAY_SLEEP }, ({ cpu }) => schedule(cpu), { comesBack: false }),
    preemptIfNeeded: needs({ preempt_schedule_irq: MAY_SLEEP }, ({ cpu }) => preemptIfNeeded(cpu)),
    scheduleTo: needs({ schedule: MAY_SLEEP }, ({ cpu }) => scheduleTo(cpu, cpu.idle), {
      comesBack: false,
    }),
    wakeUp: "raw_spin_lock_irqsave: in any context",
    wakeUpNew: "raw_spin_lock_irqsave: in any context",
  },
  "cpu/smp": {
    callable: "looks at others",
    callMany: needs({ smp_call_function_many_cond: INTERRUPTS_ON }, function* ({ cpu, other }) {
      yield* waitForCalls(yield* callMany(cpu, [other.id], nothing));
    }),
    waitForCalls: needs({ csd_lock_wait: INTERRUPTS_ON }, ({ cpu }) =>
      waitForCalls([cpu.calls.stackSlot]),
    ),
    onEachCpu: needs({ on_each_cpu_cond_mask: INTERRUPTS_ON }, ({ cpu }) =>
      onEachCpu(cpu, nothing),
    ),
    flushCallQueue: needs({ __flush_smp_call_function_queue: INTERRUPTS_OFF }, ({ cpu }) =>
      flushCallQueue(cpu),
    ),
  },
  "cpu/switch-mm": {
    switchMm: needs(
      { switch_mm_irqs_off: INTERRUPTS_OFF },
      ({ cpu, mm }) => switchMm(cpu, null, mm),
      { protocol },
    ),
    switchMmTo: needs(
      { switch_mm_irqs_off: INTERRUPTS_OFF },
      ({ cpu, mm }) => switchMmTo(cpu, mm),
      { protocol },
    ),
    leaveLazyMm: needs(
      { switch_mm_irqs_off: INTERRUPTS_OFF },
      ({ cpu, mm }) => leaveLazyMm(cpu, mm),
      { protocol },
    ),
    enterLazyTlb: needs({ enter_lazy_tlb: INTERRUPTS_OFF }, ({ cpu }) => enterLazyTlb(cpu, null), {
      protocol,
    }),
  },
  "cpu/syscall": {
    syscall: needs(
      { exit_to_user_mode: NOTHING_HELD },
      asUserTask(({ task }) => syscall(task, nothing())),
    ),
    inKernel: needs(
      { exit_to_user_mode: NOTHING_HELD },
      asUserTask(({ task }) => inKernel(task, nothing())),
    ),
  },
  "cpu/wait-event": {
    waitEvent: needs({ wait_event: MAY_SLEEP }, ({ task }) =>
      waitEvent(task, task.childExits, () => true),
    ),
    changeAndWake: "wakes: in any context",
  },
  "lazy/active-mm": {
    activateMm: needs({ exec_mmap: INTERRUPTS_ON }, ({ cpu, task, mm }) =>
      activateMm(cpu, task, mm),
    ),
    switchKernelThread: needs({ kthread_use_mm: INTERRUPTS_ON }, ({ cpu, task, mm }) =>
      switchKernelThread(cpu, task, mm),
    ),
  },
  "lazy/end-lazy-use": {
    shootLazyUsers: needs({ smp_call_function_many_cond: INTERRUPTS_ON }, ({ cpu, mm }) =>
      shootLazyUsers(cpu, mm),
    ),
    forgetFlushedMm: needs({ unlazy_mm_irqs_off: INTERRUPTS_OFF }, ({ cpu, mm }) =>
      forgetFlushedMm(cpu, mm),
    ),
  },
};
