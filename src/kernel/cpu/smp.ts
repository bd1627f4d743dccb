// kernel/smp.c: functions called on other CPUs. Per-CPU lock-free queues, one call slot per pair of
// CPUs, an IPI only when the target's queue was empty, and the caller waits for each slot's
// release.

import { costs } from "../operation/costs.ts";
import type { CallFunction, CallSlot } from "../state/call-queue.ts";
import { among } from "./cpumask.ts";
import type { Cpu } from "../state/cpu.ts";
import { NEED_RESCHED, POLLING } from "../state/task.ts";
import {
  call,
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  load,
  locked,
  sendIpi,
  store,
  waitUntil,
  work,
} from "../operation/operation.ts";
import { CALL_FUNCTION_SINGLE_VECTOR, CALL_FUNCTION_VECTOR } from "../operation/vectors.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff, needInterruptsOn } from "../operation/precondition.ts";

/** Whether a target is to be called at all: smp_cond_func_t. */
export type CallCondition = (target: Cpu) => KernelCode<boolean>;

/**
 * The sending half of smp_call_function_many_cond: queues `run` on every CPU of `targets` but the
 * caller's, for which `condition` holds. Caller has interrupts on and may not move. Returns what to
 * wait for with `waitForCalls`.
 */
export function* callMany(
  cpu: Cpu,
  targets: readonly number[],
  run: CallFunction,
  condition: CallCondition | null = null,
): KernelCode<CallSlot[]> {
  yield* needInterruptsOn("smp_call_function_many_cond");
  const called: CallSlot[] = [];
  const interrupted: Cpu[] = [];
  for (const id of yield* among(cpu.kernel.onlineMask, targets)) {
    if (id === cpu.id) continue;
    const target = cpu.kernel.cpus[id]!;
    if (condition !== null && !(yield* condition(target))) continue;
    const slot = cpu.calls.slotFor(id);
    yield* waitUntil(slot.locked, (value) => value === 0);
    yield* store(slot.locked, 1);
    slot.run = run;
    yield* work(costs.callQueue);
    const head = yield* locked(target.calls.head, (next) => ({ slot, next }));
    if (head === null) interrupted.push(target);
    called.push(slot);
  }
  yield* interruptTargets(interrupted);
  return called;
}

/** send_call_function_single_ipi, or arch_send_call_function_ipi_mask. */
function* interruptTargets(targets: readonly Cpu[]): KernelCode {
  if (targets.length === 1) {
    const target = targets[0]!;
    if (yield* wakeIfPolling(target)) return;
    yield* sendIpi([target.id], CALL_FUNCTION_SINGLE_VECTOR);
  } else if (targets.length > 1) {
    const ids = targets.map((target) => target.id);
    yield* sendIpi(ids, CALL_FUNCTION_VECTOR);
  }
}

/**
 * set_nr_if_polling of the target's idle task: whether it polls, and so finds what is queued. The
 * flags of a task that runs there are left alone.
 */
function* wakeIfPolling({ idle }: Cpu): KernelCode<boolean> {
  const seen = yield* load(idle.flags);
  if ((seen & POLLING) === 0) return false;
  if ((seen & NEED_RESCHED) !== 0) return true;
  const old = yield* locked(idle.flags, (flags) =>
    (flags & POLLING) === 0 ? flags : flags | NEED_RESCHED,
  );
  return (old & POLLING) !== 0;
}

/** csd_lock_wait for each call: acquire loads until the target has released the slot. */
export function* waitForCalls(called: readonly CallSlot[]): KernelCode {
  if (called.length > 0) yield* needInterruptsOn("csd_lock_wait");
  for (const slot of called) yield* waitUntil(slot.locked, (value) => value === 0);
}

/** on_each_cpu: `run` on every CPU, here while the interrupts to the others are in flight. */
export function* onEachCpu(cpu: Cpu, run: (cpu: Cpu) => KernelCode): KernelCode {
  yield* needInterruptsOn("on_each_cpu_cond_mask");
  const all = cpu.kernel.cpus.map(({ id }) => id);
  const called = yield* callMany(cpu, all, run);
  yield* disableInterrupts();
  yield* run(cpu);
  yield* enableInterrupts();
  yield* waitForCalls(called);
}

/** __flush_smp_call_function_queue: runs what others queued for this CPU. Interrupts are off. */
export function* flushCallQueue(cpu: Cpu): KernelCode {
  yield* needInterruptsOff("__flush_smp_call_function_queue");
  let queued = yield* locked(cpu.calls.head, () => null);
  const inOrder: CallSlot[] = [];
  for (; queued !== null; queued = queued.next) inOrder.unshift(queued.slot);
  for (const slot of inOrder) {
    yield* load(slot.locked); // the line that holds function and argument
    const rest = yield* call(slot.run!(cpu));
    yield* store(slot.locked, 0);
    if (rest !== undefined) yield* call(rest());
  }
}

nameFunctions({
  smp_call_function_many_cond: callMany,
  send_call_function_ipi_mask: interruptTargets,
  set_nr_if_polling: wakeIfPolling,
  csd_lock_wait: waitForCalls,
  on_each_cpu: onEachCpu,
  __flush_smp_call_function_queue: flushCallQueue,
});
