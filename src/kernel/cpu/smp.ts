// kernel/smp.c: functions called on other CPUs. Per-CPU lock-free queues, a call slot for each pair
// of CPUs, and the caller waits for each slot's release. Whom a call interrupts, and how, differs:
//
//            who is interrupted                       one target is called by itself
//   4.8      single: an empty queue; mask: everybody  if it is the only other CPU in the mask
//   4.15     whose queue was empty                    the same
//   5.13     the same, unless it polls and is alone   if it is the only one to be interrupted

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
 * on_each_cpu_cond_mask of Linux 4.20 and native_flush_tlb_multi of 5.13, the first half: those of
 * `mask` but the caller for which `condition` holds, all looked at before the first is called.
 */
export function* callable(
  { id: caller, kernel }: Cpu,
  mask: readonly number[],
  condition: CallCondition,
): KernelCode<number[]> {
  const found: number[] = [];
  for (const id of mask) {
    if (id !== caller && (yield* condition(kernel.cpus[id]!))) found.push(id);
  }
  return found;
}

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
  const { cpus, onlineMask, protocol } = cpu.kernel;
  const others = (yield* among(onlineMask, targets)).filter((id) => id !== cpu.id);
  const { smp } = protocol.traits;
  const isAlone = smp !== "5.13" && others.length === 1;
  const called: CallSlot[] = [];
  const interrupted: number[] = [];
  for (const id of others) {
    const target = cpus[id]!;
    if (condition !== null && !(yield* condition(target))) continue;
    const slot = yield* isAlone ? stackSlot(cpu) : lockSlot(cpu, target);
    slot.run = run;
    const wasEmpty = yield* queueCall(target, slot);
    if (wasEmpty || (smp === "4.8" && !isAlone)) interrupted.push(id);
    called.push(slot);
  }
  if (smp === "5.13") yield* interruptUnlessPolling(cpu, interrupted);
  else yield* interrupt(interrupted, isAlone);
  return called;
}

/** csd_lock of the slot for this pair of CPUs. */
function* lockSlot(cpu: Cpu, target: Cpu): KernelCode<CallSlot> {
  const slot = target.calls.slotOf(cpu.id);
  yield* waitUntil(slot.locked, (value) => value === 0);
  yield* store(slot.locked, 1);
  return slot;
}

/** smp_call_function_single up to Linux 5.12: csd_stack, which nobody has used before. */
function* stackSlot({ calls }: Cpu): KernelCode<CallSlot> {
  yield* store(calls.stackSlot.locked, 1);
  return calls.stackSlot;
}

/** llist_add, which loads the head before it exchanges it. Returns whether it was empty. */
function* queueCall({ calls }: Cpu, slot: CallSlot): KernelCode<boolean> {
  yield* work(costs.callQueue);
  yield* load(calls.head);
  return (yield* locked(calls.head, (next) => ({ slot, next }))) === null;
}

/** send_call_function_single_ipi since Linux 5.8, or arch_send_call_function_ipi_mask. */
function* interruptUnlessPolling({ kernel }: Cpu, targets: readonly number[]): KernelCode {
  const isSingle = targets.length === 1;
  if (isSingle && (yield* wakeIfPolling(kernel.cpus[targets[0]!]!))) return;
  yield* interrupt(targets, isSingle);
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

/** arch_send_call_function_single_ipi or ..._ipi_mask. */
function* interrupt(targets: readonly number[], isSingle: boolean): KernelCode {
  const vector = isSingle ? CALL_FUNCTION_SINGLE_VECTOR : CALL_FUNCTION_VECTOR;
  if (targets.length > 0) yield* sendIpi(targets, vector);
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
  on_each_cpu_cond_mask: callable,
  smp_call_function_many_cond: callMany,
  csd_lock: [lockSlot, stackSlot],
  llist_add: queueCall,
  set_nr_if_polling: wakeIfPolling,
  send_call_function_ipi_mask: [interruptUnlessPolling, interrupt],
  csd_lock_wait: waitForCalls,
  on_each_cpu: onEachCpu,
  __flush_smp_call_function_queue: flushCallQueue,
});
