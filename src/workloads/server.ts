// A server of two tiers. Front processes of four threads, one thread on each CPU: every request
// maps a buffer, fills it, computes and unmaps it. Behind each CPU's front thread a back process
// with one thread, on the same CPU, computes on memory of its own. A request goes front, back, and
// on to the next CPU; one is under way for every two CPUs, so that CPUs idle now and then.

import type { Cpu } from "../kernel/state/cpu.ts";
import { waitForChildren } from "../kernel/process/exit.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { Pipe, readPipe, writePipe } from "../kernel/process/pipe.ts";
import { cloneThread, fork } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Program, Task } from "../kernel/state/task.ts";
import { Barrier } from "./barrier.ts";
import { MeasuredPart } from "./measured-part.ts";
import { mapMemory, mapPages, touchPages, unmapPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

const THREADS_PER_FRONT = 4;
/** Pages of a thread's own memory, worked on by each request. */
const OWN_PAGES = 48;

interface Ring {
  readonly pipes: readonly Pipe[];
  readonly ready: Barrier;
  readonly part: MeasuredPart;
}

/**
 * One thread: takes `rounds` requests from its pipe, works on each, hands it to the next thread.
 */
function* serve(task: Task, scene: Scene, ring: Ring, index: number): KernelCode {
  const own = yield* mapPages(task, { pageCount: OWN_PAGES });
  yield* touchPages(own, "write");
  const from = ring.pipes[index]!;
  const to = ring.pipes[(index + 1) % ring.pipes.length]!;
  yield* ring.ready.arriveAndWait(task);
  yield* ring.part.begin();
  if (index % 4 === 0) yield* syscall(task, writePipe(task, from)); // the front of every other CPU
  for (let round = 0; round < scene.rounds; round++) {
    yield* syscall(task, readPipe(task, from));
    const thinkCycles = 30 + scene.random.below(8);
    yield* usePages(own, { accesses: 64, thinkCycles, seed: index * scene.rounds + round + 1 });
    if (isFront(index)) yield* fillBuffer(task, scene);
    yield* note({ kind: "operationDone" });
    yield* syscall(task, writePipe(task, to));
  }
  yield* ring.part.end(task);
}

function* fillBuffer(task: Task, scene: Scene): KernelCode {
  const buffer = yield* mapMemory(task, scene);
  yield* touchPages(buffer, "write");
  yield* unmapPages(task, buffer);
}

/** Thread i of the ring sits on CPU i / 2: the even ones in front, the odd ones behind. */
const isFront = (index: number): boolean => index % 2 === 0;

/** A front process: a thread on each of `cpus`. */
function front(scene: Scene, ring: Ring, cpus: readonly Cpu[]): Program {
  return function* (leader) {
    for (const cpu of cpus.slice(1)) {
      const program = (task: Task): KernelCode => serve(task, scene, ring, 2 * cpu.id);
      yield* syscall(leader, cloneThread(leader, { name: `front${cpu.id}`, program, cpu }));
    }
    yield* serve(leader, scene, ring, 2 * cpus[0]!.id);
    yield* syscall(leader, waitForChildren(leader));
  };
}

export const server: Workload = {
  name: "server",
  summary: "front processes map, fill and unmap a buffer per request, back processes compute",
  program: (scene) =>
    function* (main) {
      const { cpus, kernel } = scene;
      const count = 2 * cpus.length;
      const pipes = Array.from(
        { length: count },
        (_, index) => new Pipe(kernel, `requests${index}`, Math.floor(index / 2)),
      );
      const part = new MeasuredPart(kernel, count);
      const ring: Ring = { pipes, ready: new Barrier(kernel, count), part };
      for (const cpu of cpus) {
        const program = (task: Task): KernelCode => serve(task, scene, ring, 2 * cpu.id + 1);
        yield* syscall(main, fork(main, { name: `back${cpu.id}`, program, cpu }));
      }
      for (let first = 0; first < cpus.length; first += THREADS_PER_FRONT) {
        const own = cpus.slice(first, first + THREADS_PER_FRONT);
        const request = { name: `front${first}`, program: front(scene, ring, own), cpu: own[0]! };
        yield* syscall(main, fork(main, request));
      }
      yield* syscall(main, waitForChildren(main));
    },
};
