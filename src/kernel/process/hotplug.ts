// kernel/cpu.c: a CPU is taken out of service for good. It gives up the mm that it borrows while
// flushes still reach it, leaves cpu_online_mask while every other CPU stands still, and dies in
// its idle task; what that still held is dropped by another CPU, for a dead one may not free.

import { assert } from "../../base/assert.ts";
import type { Cpu } from "../state/cpu.ts";
import { clearCpu } from "../cpu/cpumask.ts";
import { waitForChild } from "./exit.ts";
import { isMutated } from "../state/mutated.ts";
import { type KernelCode, waitUntil } from "../operation/operation.ts";
import { restoreInterrupts, saveInterrupts } from "../operation/interrupt-operation.ts";
import { createKernelThread } from "./fork.ts";
import { flushCallQueue } from "../cpu/smp.ts";
import { stopMachine } from "./stop-machine.ts";
import type { Task } from "../state/task.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep, needInterruptsOn } from "../operation/precondition.ts";

/**
 * _cpu_down, on another CPU than `dying`. Unlike Linux, which migrates them, no task that has not
 * ended may live on `dying` any more.
 */
export function* cpuDown(task: Task, dying: Cpu): KernelCode {
  yield* mightSleep("_cpu_down");
  const { kernel } = dying;
  assert(task.cpu !== dying && !dying.isOffline, "another CPU takes an online CPU down");
  const isEmpty = kernel.tasks.every(({ cpu, state }) => cpu !== dying || state === "dead");
  assert(isEmpty, `no task is left on CPU ${dying.id}`);
  yield* waitEmpty(task, dying);
  yield* stopMachine(task, dying, () => takeCpuDown(dying));
  yield* reapCpu(task.cpu, dying);
}

/** takedown_cpu once the machine goes on: waits for the death of `dying`, then finish_cpu. */
export function* reapCpu(cpu: Cpu, dying: Cpu): KernelCode {
  yield* mightSleep("takedown_cpu");
  yield* waitUntil(dying.isDead, (isDead) => isDead);
  yield* dying.kernel.lazyPolicy.finishCpu(cpu, dying.idle);
}

/** The hotplug thread of `dying` is set to work, and waited for. */
function* waitEmpty(task: Task, dying: Cpu): KernelCode {
  const request = { name: `cpuhp/${dying.id}`, program: schedCpuWaitEmpty, cpu: dying };
  yield* waitForChild(task, yield* createKernelThread(task, request));
}

/** sched_cpu_wait_empty, on the hotplug thread of the CPU that is to go: sched_force_init_mm. */
export function* schedCpuWaitEmpty(thread: Task): KernelCode {
  const { cpu } = thread;
  yield* needInterruptsOn("sched_force_init_mm");
  const keeps = isMutated(cpu, "unplug-keeps-lazy-mm") || isMutated(cpu, "unplug-switches-offline");
  if (!keeps) yield* cpu.kernel.lazyPolicy.forceInitMm(cpu, thread);
}

/** take_cpu_down, on `dying` itself: from here on nobody interrupts it. */
export function* takeCpuDown(dying: Cpu): KernelCode {
  const irqs = yield* saveInterrupts(dying);
  dying.isOffline = true;
  yield* clearCpu(dying.kernel.onlineMask, dying.id);
  yield* flushCallQueue(dying); // smpcfd_dying_cpu: calls that came while interrupts were off
  yield* restoreInterrupts(dying, irqs);
}

nameFunctions({
  _cpu_down: cpuDown,
  takedown_cpu: reapCpu,
  waitEmpty,
  sched_cpu_wait_empty: schedCpuWaitEmpty,
  take_cpu_down: takeCpuDown,
});
