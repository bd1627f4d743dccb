// Memory is short: a process on each CPU works on pages of its own, and a kernel thread on CPU 0
// takes some of everybody's away, again and again, as kswapd does: one flush for pages of many
// address spaces.

import { pageAfter, type PageRange } from "../base/address.ts";
import { waitForChildren } from "../kernel/process/exit.ts";
import { mmget, mmput } from "../kernel/memory/mm-count.ts";
import type { Mm } from "../kernel/state/mm.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { Pipe, readPipe, writePipe } from "../kernel/process/pipe.ts";
import { createKernelThread, fork } from "../kernel/process/fork.ts";
import { type MappedPage, reclaim as reclaimPages } from "../kernel/memory/reclaim.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { Barrier } from "./barrier.ts";
import { mapPages, touchPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

/** Pages that each process keeps, besides those that are taken away. */
const KEPT_PAGES = 16;
/** SWAP_CLUSTER_MAX: what one pass of reclaim takes at most before it flushes. */
const CLUSTER_PAGES = 32;

/** The user processes, and what the kernel thread may take from them. */
interface Victims {
  readonly mms: Mm[];
  readonly ranges: PageRange[];
  isOver: boolean;
}

/** Maps memory and touches it, and gives part of it up for reclaim. */
function* becomeVictim(task: Task, scene: Scene, victims: Victims): KernelCode<PageRange> {
  const memory = yield* mapPages(task, { pageCount: KEPT_PAGES + scene.pages });
  const start = pageAfter(memory.start, KEPT_PAGES);
  yield* touchPages(memory, "write");
  yield* mmget(task.mm!); // the kernel thread puts it
  victims.mms.push(task.mm!);
  victims.ranges.push({ start, end: memory.end });
  return memory;
}

/** A process on another CPU works on its pages until it is told to stop: what was taken comes
 *  back. */
function* keepWorking(task: Task, scene: Scene, victims: Victims, ready: Barrier): KernelCode {
  const memory = yield* becomeVictim(task, scene, victims);
  yield* ready.arriveAndWait(task);
  const thinkCycles = 100 + scene.random.below(41);
  for (let seed = 1; !victims.isOver; seed++) {
    yield* usePages(memory, { accesses: 64, thinkCycles, seed });
    yield* touchPages(memory, "write");
  }
}

/** kswapd: `rounds` passes over everybody's pages, a cluster at a time. */
function* kswapd(thread: Task, scene: Scene, victims: Victims, pipes: Pipes): KernelCode {
  for (let round = 0; round < scene.rounds; round++) {
    yield* readPipe(thread, pipes.requests);
    const pages = victims.ranges.flatMap((range, index) => pagesOf(victims.mms[index]!, range));
    for (let first = 0; first < pages.length; first += CLUSTER_PAGES) {
      yield* reclaimPages(thread.cpu, pages.slice(first, first + CLUSTER_PAGES));
    }
    yield* writePipe(thread, pipes.answers);
  }
  for (const mm of victims.mms.splice(0)) yield* mmput(thread.cpu, mm);
}

interface Pipes {
  readonly requests: Pipe;
  readonly answers: Pipe;
}

const pagesOf = (mm: Mm, range: PageRange): MappedPage[] =>
  Array.from({ length: range.end - range.start }, (_, index) => ({
    mm,
    page: pageAfter(range.start, index),
  }));

export const reclaim: Workload = {
  name: "reclaim",
  summary: "a kernel thread reclaims k pages of each process, in batches of one flush each",
  program: (scene) =>
    function* (main) {
      const { kernel, cpus } = scene;
      const victims: Victims = { mms: [], ranges: [], isOver: false };
      const pipe = (name: string): Pipe => new Pipe(kernel, name, 0);
      const pipes = { requests: pipe("requests"), answers: pipe("answers") };
      const others = cpus.slice(1);
      const ready = new Barrier(kernel, others.length);
      for (const cpu of others) {
        const program = (task: Task): KernelCode => keepWorking(task, scene, victims, ready);
        yield* syscall(main, fork(main, { name: `victim${cpu.id}`, program, cpu }));
      }
      const memory = yield* becomeVictim(main, scene, victims);
      yield* ready.wait(main);
      const program = (thread: Task): KernelCode => kswapd(thread, scene, victims, pipes);
      yield* createKernelThread(main, { name: "kswapd0", program, cpu: main.cpu });
      yield* note({ kind: "measureBegin" });
      for (let round = 0; round < scene.rounds; round++) {
        yield* syscall(main, writePipe(main, pipes.requests));
        yield* syscall(main, readPipe(main, pipes.answers));
        yield* note({ kind: "operationDone" });
        const thinkCycles = 50 + scene.random.below(100);
        yield* usePages(memory, { accesses: 64, thinkCycles, seed: round + 1 });
        yield* touchPages(memory, "write");
      }
      yield* note({ kind: "measureEnd" });
      victims.isOver = true;
      yield* syscall(main, waitForChildren(main));
    },
};
