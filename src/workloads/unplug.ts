// A process has run on every CPU, and each idles on its mm since. Round after round the first
// thread unmaps memory, and one CPU is taken offline, until only CPU 0 is left.

import { waitForChildren } from "../kernel/exit.ts";
import { cpuDown } from "../kernel/hotplug.ts";
import { type Kernel, note } from "../kernel/operation.ts";
import { cloneThread, STACK } from "../kernel/process.ts";
import { syscall } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { mapMemory, touchPages, unmapPages, usePages } from "./memory.ts";
import type { Workload } from "./workload.ts";

export const unplug: Workload = {
  name: "unplug",
  summary: "one thread unmaps k pages and takes a CPU offline that idles on its mm, each round",
  program: (scene) =>
    function* (main) {
      const others = scene.cpus.slice(1);
      for (const cpu of others) {
        const program = (_thread: Task): Kernel => touchPages(STACK, "write");
        yield* syscall(main, cloneThread(main, { name: `thread${cpu.id}`, program, cpu }));
      }
      yield* syscall(main, waitForChildren(main));
      yield* note({ kind: "measureBegin" });
      for (let round = 0; round < scene.rounds; round++) {
        const range = yield* mapMemory(main, scene);
        yield* touchPages(range, "write");
        yield* unmapPages(main, range);
        const thinkCycles = 50 + scene.random.below(100);
        yield* usePages(STACK, { accesses: 16, thinkCycles, seed: round + 1 });
        const cpu = others.pop();
        if (cpu !== undefined) yield* syscall(main, cpuDown(main, cpu));
        yield* note({ kind: "operationDone" });
      }
      yield* note({ kind: "measureEnd" });
    },
};
