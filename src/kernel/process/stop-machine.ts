// kernel/stop_machine.c: runs a function on one CPU while every other one stands still in its
// stopper thread. Stoppers are threads, not interrupts: kernel code that has looked at
// cpu_online_mask and not yet sent its interrupts is over before its CPU stands still.

import { Cell } from "../operation/cell.ts";
import type { Cpu } from "../state/cpu.ts";
import { among } from "../cpu/cpumask.ts";
import { waitForChild } from "./exit.ts";
import { type KernelCode, locked, store, waitUntil } from "../operation/operation.ts";
import { createKernelThread } from "./fork.ts";
import type { Task } from "../state/task.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep, needInterruptsOn } from "../operation/precondition.ts";

/** struct multi_stop_data */
export interface MultiStop {
  /** Threads that stand still. */
  readonly arrived: Cell<number>;
  readonly state: Cell<"prepare" | "run" | "exit">;
  readonly target: Cpu;
  run(): KernelCode;
}

/**
 * stop_machine_cpuslocked: `run` on `target`. Unlike Linux, where stoppers go before everything, a
 * stopper waits for its turn on the run queue, and the others stand still with interrupts on.
 */
export function* stopMachine(task: Task, target: Cpu, run: () => KernelCode): KernelCode {
  yield* mightSleep("stop_machine_cpuslocked");
  const { kernel, id } = task.cpu;
  const stop = createMultiStop(task.cpu, target, run);
  const all = kernel.cpus.map((cpu) => cpu.id).filter((cpu) => cpu !== id);
  const others = yield* among(kernel.onlineMask, all);
  const threads: Task[] = [];
  for (const other of others) {
    const program = (thread: Task): KernelCode => multiCpuStop(thread, stop);
    const request = { name: `migration/${other}`, program, cpu: kernel.cpus[other]! };
    threads.push(yield* createKernelThread(task, request));
  }
  yield* runWhenAllStand(stop, threads.length);
  for (const thread of threads) yield* waitForChild(task, thread);
}

/** Its data, on a line of `cpu`, who stops the others. */
export function createMultiStop(cpu: Cpu, target: Cpu, run: () => KernelCode): MultiStop {
  const line = cpu.kernel.allocateLine(cpu.id);
  const name = `stop_machine(cpu${target.id})`;
  return {
    arrived: new Cell(`${name}.thread_ack`, line, 0),
    state: new Cell<"prepare" | "run" | "exit">(`${name}.state`, line, "prepare"),
    target,
    run,
  };
}

/** The caller stands still here: it runs nothing else until `count` others do, and then go on. */
export function* runWhenAllStand({ arrived, state }: MultiStop, count: number): KernelCode {
  yield* mightSleep("stop_machine_cpuslocked");
  yield* waitUntil(arrived, (standing) => standing === count);
  yield* store(state, "run");
  yield* waitUntil(state, (now) => now === "exit");
}

/** multi_cpu_stop */
export function* multiCpuStop(
  thread: Task,
  { arrived, state, target, run }: MultiStop,
): KernelCode {
  yield* needInterruptsOn("multi_cpu_stop"); // who does not stand still yet may call this CPU
  yield* locked(arrived, (count) => count + 1);
  yield* waitUntil(state, (now) => now !== "prepare");
  if (thread.cpu === target) {
    yield* run();
    yield* store(state, "exit");
  } else yield* waitUntil(state, (now) => now === "exit");
}

nameFunctions({
  stop_machine_cpuslocked: [stopMachine, runWhenAllStand],
  multi_cpu_stop: multiCpuStop,
});
