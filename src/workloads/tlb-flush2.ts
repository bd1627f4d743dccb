// will-it-scale's tlb_flush2_threads: a thread of one process on every CPU maps memory, and page by
// page writes to it, discards it and reads it back; every discard is a shootdown of all the others.
// Each maps 1 MiB, as there, of which it goes through as many pages as asked for: two threads share
// a page table.

import { pageAfter, pageRange } from "../base/address.ts";
import { waitForChildren } from "../kernel/process/exit.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { cloneThread } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import { pagesPer } from "../machine/page-table.ts";
import type { Task } from "../kernel/state/task.ts";
import { Barrier } from "./barrier.ts";
import { MeasuredPart } from "./measured-part.ts";
import { discardPages, mapPages, touchPages, unmapPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

/** MEMORYSIZE, 1 MiB. */
const MAPPED_PAGES = 256;

/** One mapping's life; an operation is one of its pages. */
function* flushEachPage(task: Task, scene: Scene): KernelCode {
  const { pageSize = "4K" } = scene;
  const size = pagesPer(pageSize);
  const pageCount = Math.max(MAPPED_PAGES, scene.pages * size);
  const memory = yield* mapPages(task, { pageCount, pageSize });
  for (let index = 0; index < scene.pages; index++) {
    const page = pageRange(pageAfter(memory.start, index * size), size);
    yield* touchPages(page, "write");
    yield* discardPages(task, page);
    const thinkCycles = 50 + scene.random.below(100);
    yield* usePages(page, { accesses: 2, thinkCycles, seed: 1 });
    yield* note({ kind: "operationDone" });
  }
  yield* unmapPages(task, memory);
}

export const tlbFlush2: Workload = {
  name: "tlb-flush2",
  summary: "every thread of one mm writes to, discards and reads back k pages, one after the other",
  program: (scene) =>
    function* (main) {
      const count = scene.cpus.length;
      const ready = new Barrier(scene.kernel, count);
      const part = new MeasuredPart(scene.kernel, count);
      const play = function* (task: Task): KernelCode {
        yield* ready.arriveAndWait(task);
        yield* part.begin();
        for (let round = 0; round < scene.rounds; round++) yield* flushEachPage(task, scene);
        yield* part.end(task);
      };
      for (const cpu of scene.cpus.slice(1)) {
        const request = { name: `thread${cpu.id}`, program: play, cpu };
        yield* syscall(main, cloneThread(main, request));
      }
      yield* play(main);
      yield* syscall(main, waitForChildren(main));
    },
};
