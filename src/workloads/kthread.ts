// On every CPU a user task hands work to a kernel thread and waits for it, so that user tasks and
// kernel threads take turns; every other piece of work is done in the user's address space
// (kthread_use_mm), as vhost and io_uring do.

import type { PageRange } from "../base/address.ts";
import { costs } from "../kernel/operation/costs.ts";
import { waitForChildren } from "../kernel/process/exit.ts";
import { kthreadUnuseMm, kthreadUseMm } from "../kernel/process/kthread.ts";
import { mmget, mmput } from "../kernel/memory/mm-count.ts";
import type { Mm } from "../kernel/state/mm.ts";
import { type KernelCode, note, work } from "../kernel/operation/operation.ts";
import { Pipe, readPipe, writePipe } from "../kernel/process/pipe.ts";
import { createKernelThread, fork } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { Barrier } from "./barrier.ts";
import { MeasuredPart } from "./measured-part.ts";
import { mapMemory, touchPages, unmapPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

/** What a user task and its kernel thread share. */
interface Desk {
  readonly requests: Pipe;
  readonly answers: Pipe;
  /** The address space to work in, and where; null: none is needed. */
  mm: Mm | null;
  memory: PageRange;
}

/** The kernel thread: one piece of work for each request, `rounds` of them. */
function* serve(thread: Task, desk: Desk, rounds: number): KernelCode {
  for (let round = 0; round < rounds; round++) {
    yield* readPipe(thread, desk.requests);
    const { mm } = desk;
    if (mm === null) yield* work(costs.userWork);
    else {
      yield* kthreadUseMm(thread, mm);
      yield* usePages(desk.memory, { accesses: 8, thinkCycles: 20, seed: round + 1 });
      yield* kthreadUnuseMm(thread);
      yield* mmput(thread.cpu, mm);
    }
    yield* writePipe(thread, desk.answers);
  }
}

/** The user task: maps, touches, has it worked on, unmaps. */
function* ask(task: Task, scene: Scene, desk: Desk): KernelCode {
  for (let round = 0; round < scene.rounds; round++) {
    desk.memory = yield* mapMemory(task, scene);
    yield* touchPages(desk.memory, "write");
    const thinkCycles = 20 + scene.random.below(40);
    yield* usePages(desk.memory, { accesses: 8, thinkCycles, seed: round + 1 });
    desk.mm = round % 2 === 1 ? task.mm : null;
    if (desk.mm !== null) yield* mmget(desk.mm); // the thread puts it
    yield* syscall(task, writePipe(task, desk.requests));
    yield* syscall(task, readPipe(task, desk.answers));
    yield* unmapPages(task, desk.memory);
    yield* note({ kind: "operationDone" });
  }
}

export const kthread: Workload = {
  name: "kthread",
  summary: "user tasks take turns with kernel threads, every other time in the user's mm",
  program: (scene) =>
    function* (main) {
      const ready = new Barrier(scene.kernel, scene.cpus.length);
      const part = new MeasuredPart(scene.kernel, scene.cpus.length);
      for (const cpu of scene.cpus) {
        const pipe = (name: string): Pipe => new Pipe(scene.kernel, `${name}${cpu.id}`, cpu.id);
        const memory = { start: 0, end: 0 } as PageRange;
        const desk: Desk = {
          requests: pipe("requests"),
          answers: pipe("answers"),
          mm: null,
          memory,
        };
        const server = (thread: Task): KernelCode => serve(thread, desk, scene.rounds);
        yield* createKernelThread(main, { name: `kthread${cpu.id}`, program: server, cpu });
        const program = function* (task: Task): KernelCode {
          yield* ready.arriveAndWait(task);
          yield* part.begin();
          yield* ask(task, scene, desk);
          yield* part.end(task);
        };
        yield* syscall(main, fork(main, { name: `user${cpu.id}`, program, cpu }));
      }
      yield* syscall(main, waitForChildren(main));
    },
};
