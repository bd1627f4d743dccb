// Every CPU has a process that forks a child, waits for it and forks the next. The child runs on
// the neighbour, writes to a few inherited pages (copy-on-write), execs in every second round, and
// exits: its mm dies on the CPU that ran it, which goes on as a lazy user of it.

import { type PageRange, pageRange } from "../base/address.ts";
import { waitForChild, waitForChildren } from "../kernel/process/exit.ts";
import { exec } from "../kernel/process/exec.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { fork, STACK } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { pagesPer } from "../machine/page-table.ts";
import { Barrier } from "./barrier.ts";
import { MeasuredPart } from "./measured-part.ts";
import { mapMemory, touchPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

/** Pages that a parent has, and a child inherits, besides those that it writes to. */
const INHERITED_PAGES = 16;

/** A child's life: it writes to what it inherited, perhaps becomes another program, and ends. */
function* child(task: Task, pages: PageRange, execs: boolean): KernelCode {
  yield* touchPages(pages, "write");
  if (!execs) return;
  yield* syscall(task, exec(task, `${task.name}.exec`));
  yield* touchPages(STACK, "write");
}

function* parent(task: Task, scene: Scene, neighbour: number): KernelCode {
  const memory = yield* mapMemory(task, scene, INHERITED_PAGES);
  yield* touchPages(memory, "write");
  const written = pageRange(memory.start, scene.pages * pagesPer(scene.pageSize ?? "4K"));
  const cpu = scene.cpus[neighbour]!;
  for (let round = 0; round < scene.rounds; round++) {
    const thinkCycles = 20 + scene.random.below(40);
    yield* usePages(memory, { accesses: 16, thinkCycles, seed: round + 1 });
    const program = (self: Task): KernelCode => child(self, written, round % 2 === 1);
    const name = `child${task.pid}.${round}`;
    const forked = yield* syscall(task, fork(task, { name, program, cpu }));
    yield* syscall(task, waitForChild(task, forked));
    yield* note({ kind: "operationDone" });
  }
}

export const forkExit: Workload = {
  name: "fork-exit",
  summary: "a process per CPU forks children that copy-on-write, exec and exit on its neighbour",
  program: (scene) =>
    function* (main) {
      const count = scene.cpus.length;
      const ready = new Barrier(scene.kernel, count);
      const part = new MeasuredPart(scene.kernel, count);
      for (const cpu of scene.cpus) {
        const program = function* (task: Task): KernelCode {
          yield* ready.arriveAndWait(task);
          yield* part.begin();
          yield* parent(task, scene, (cpu.id + 1) % count);
          yield* part.end(task);
        };
        yield* syscall(main, fork(main, { name: `parent${cpu.id}`, program, cpu }));
      }
      yield* syscall(main, waitForChildren(main));
    },
};
