// A process has run on every CPU, and each idles on its mm since. Round after round a thread on one
// CPU uses memory that the first thread has mapped, and ends: that CPU idles on the mm once more,
// and is taken offline, until only CPU 0 is left. Then the memory is unmapped, tables and all.

import type { Cpu } from "../kernel/state/cpu.ts";
import { waitForChild, waitForChildren } from "../kernel/process/exit.ts";
import { cpuDown } from "../kernel/process/hotplug.ts";
import type { PageRange } from "../base/address.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { cloneThread, STACK } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { mapMemory, touchPages, unmapPages, usePages } from "./memory.ts";
import type { Workload } from "./workload.ts";

/** A thread on the CPU reads the range and ends, and the CPU goes. */
function* useAndUnplug(main: Task, cpu: Cpu, range: PageRange): KernelCode {
  const program = (_thread: Task): KernelCode => touchPages(range, "read");
  const request = { name: `last${cpu.id}`, program, cpu };
  yield* syscall(main, waitForChild(main, yield* syscall(main, cloneThread(main, request))));
  yield* syscall(main, cpuDown(main, cpu));
}

export const unplug: Workload = {
  name: "unplug",
  summary: "a CPU that idles on a process's mm goes offline and k pages are unmapped, each round",
  program: (scene) =>
    function* (main) {
      const others = scene.cpus.slice(1);
      for (const cpu of others) {
        const program = (_thread: Task): KernelCode => touchPages(STACK, "write");
        yield* syscall(main, cloneThread(main, { name: `thread${cpu.id}`, program, cpu }));
      }
      yield* syscall(main, waitForChildren(main));
      yield* note({ kind: "measureBegin" });
      for (let round = 0; round < scene.rounds; round++) {
        const range = yield* mapMemory(main, scene);
        yield* touchPages(range, "write");
        const cpu = others.pop();
        if (cpu !== undefined) yield* useAndUnplug(main, cpu, range);
        yield* unmapPages(main, range);
        const thinkCycles = 50 + scene.random.below(100);
        yield* usePages(STACK, { accesses: 16, thinkCycles, seed: round + 1 });
        yield* note({ kind: "operationDone" });
      }
      yield* note({ kind: "measureEnd" });
    },
};
