// Several processes of four threads, one thread per CPU. A request travels round the threads: each
// maps a buffer, fills it, computes, unmaps it and passes the request on. Half as many requests are
// under way as there are threads, so that CPUs idle now and then and come back to the same process.

import { waitForChildren } from "../kernel/exit.ts";
import { type Kernel, note } from "../kernel/operation.ts";
import { Pipe, readPipe, writePipe } from "../kernel/pipe.ts";
import { cloneThread, fork } from "../kernel/process.ts";
import { syscall } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { Barrier } from "./barrier.ts";
import { mapPages, touchPages, unmapPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

const THREADS_PER_PROCESS = 4;
/** Pages of a thread's own memory, worked on by each request. */
const OWN_PAGES = 48;

interface Ring {
  readonly pipes: readonly Pipe[];
  readonly ready: Barrier;
  running: number;
}

/** One thread: serves `rounds` requests from its pipe and hands each on to the next thread. */
function* serve(task: Task, scene: Scene, ring: Ring, index: number): Kernel {
  const own = yield* mapPages(task, { pageCount: OWN_PAGES });
  yield* touchPages(own, "write");
  const from = ring.pipes[index]!;
  const to = ring.pipes[(index + 1) % ring.pipes.length]!;
  yield* ring.ready.arriveAndWait(task);
  if (ring.running === ring.pipes.length) yield* note({ kind: "measureBegin" });
  if (index % 2 === 0) yield* syscall(task, writePipe(task, from)); // half the threads have one
  for (let round = 0; round < scene.rounds; round++) {
    yield* syscall(task, readPipe(task, from));
    const buffer = yield* mapPages(task, { pageCount: scene.pages });
    yield* touchPages(buffer, "write");
    const seed = index * scene.rounds + round + 1;
    yield* usePages(own, { accesses: 64, thinkCycles: 30 + scene.random.below(8), seed });
    yield* unmapPages(task, buffer);
    yield* syscall(task, writePipe(task, to));
  }
  if (--ring.running === 0) yield* note({ kind: "measureEnd" });
}

export const server: Workload = {
  name: "server",
  summary: "processes of four threads serve requests, each with a map, a fill and an unmap",
  program: (scene) =>
    function* (main) {
      const { cpus, kernel } = scene;
      const pipes = cpus.map((cpu) => new Pipe(kernel, `requests${cpu.id}`, cpu.id));
      const ring: Ring = { pipes, ready: new Barrier(kernel, cpus.length), running: cpus.length };
      for (let first = 0; first < cpus.length; first += THREADS_PER_PROCESS) {
        const own = cpus.slice(first, first + THREADS_PER_PROCESS);
        const process = function* (leader: Task): Kernel {
          for (const cpu of own.slice(1)) {
            const program = (task: Task): Kernel => serve(task, scene, ring, cpu.id);
            const thread = cloneThread(leader, { name: `server${cpu.id}`, program, cpu });
            yield* syscall(leader, thread);
          }
          yield* serve(leader, scene, ring, first);
          yield* syscall(leader, waitForChildren(leader));
        };
        const cpu = own[0]!;
        yield* syscall(main, fork(main, { name: `server${first}`, program: process, cpu }));
      }
      yield* syscall(main, waitForChildren(main));
    },
};
