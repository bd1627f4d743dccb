// kernel/cpu.c: a CPU is taken out of service for good. It gives up the mm that it borrows while
// flushes still reach it, leaves cpu_online_mask while every other CPU stands still, and dies in
// its idle task; what that still held is dropped by another CPU, for a dead one may not free.

import { assert } from "../base/assert.ts";
import type { Cpu } from "./cpu.ts";
import { clearCpu } from "./cpu-mask.ts";
import { waitForChild } from "./exit.ts";
import { isMutated } from "./mutation.ts";
import { disableInterrupts, enableInterrupts, type Kernel, waitUntil } from "./operation.ts";
import { createKernelThread } from "./process.ts";
import { flushCallQueue } from "./smp.ts";
import { stopMachine } from "./stop-machine.ts";
import type { Task } from "./task.ts";

/**
 * _cpu_down, on another CPU than `dying`. Unlike Linux, which migrates them, no task that has not
 * ended may live on `dying` any more.
 */
export function* cpuDown(task: Task, dying: Cpu): Kernel {
  const { kernel } = dying;
  assert(task.cpu !== dying && !dying.isOffline, "another CPU takes an online CPU down");
  const isEmpty = kernel.tasks.every(({ cpu, state }) => cpu !== dying || state === "dead");
  assert(isEmpty, `no task is left on CPU ${dying.id}`);
  yield* waitEmpty(task, dying);
  yield* stopMachine(task, dying, () => takeCpuDown(dying));
  yield* waitUntil(dying.isDead, (isDead) => isDead);
  yield* kernel.lazyPolicy.finishCpu(task.cpu, dying.idle);
}

/** sched_cpu_wait_empty, on the hotplug thread of `dying`: sched_force_init_mm. */
function* waitEmpty(task: Task, dying: Cpu): Kernel {
  const keeps =
    isMutated(dying, "unplug-keeps-lazy-mm") || isMutated(dying, "unplug-switches-offline");
  const program = function* (thread: Task): Kernel {
    if (!keeps) yield* dying.kernel.lazyPolicy.forceInitMm(dying, thread);
  };
  const request = { name: `cpuhp/${dying.id}`, program, cpu: dying };
  yield* waitForChild(task, yield* createKernelThread(task, request));
}

/** take_cpu_down, on `dying` itself: from here on nobody interrupts it. */
function* takeCpuDown(dying: Cpu): Kernel {
  yield* disableInterrupts();
  dying.isOffline = true;
  yield* clearCpu(dying.kernel.onlineMask, dying.id);
  yield* flushCallQueue(dying); // smpcfd_dying_cpu: calls that came while interrupts were off
  yield* enableInterrupts();
}
