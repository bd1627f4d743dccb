// A thread on every CPU writes to k pages of a mapped file and syncs them, in turn: sysbench's
// fileio with mmap and fdatasync. A page that was synced is read-only: the next write faults.

import { pageRange } from "../base/address.ts";
import { waitForChildren } from "../kernel/process/exit.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { cloneThread } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { cleanPages } from "../kernel/memory/writeback.ts";
import { Barrier } from "./barrier.ts";
import { MeasuredPart } from "./measured-part.ts";
import { mapPages, touchPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

/** What a page table maps: in a file of gigabytes two threads seldom meet at the lock of one. */
const PART_PAGES = 512;

/** What a thread computes at most at each of four reads before its next round: by chance and long
 *  against a flush, or two threads would fall into step. */
const THINK_CYCLES = 2000;

/** One thread on pages of its own; an operation is a page written. */
function* writeAndSync(
  task: Task,
  scene: Scene,
  ready: Barrier,
  measured: MeasuredPart,
): KernelCode {
  const { pages, rounds, random } = scene;
  const part = yield* mapPages(task, { pageCount: PART_PAGES + pages });
  const file = pageRange(part.start, pages);
  yield* touchPages(file, "write");
  yield* ready.arriveAndWait(task);
  yield* measured.begin();
  for (let round = 0; round < rounds; round++) {
    yield* syscall(task, cleanPages(task.cpu, task.mm!, file));
    yield* touchPages(file, "write");
    for (let page = 0; page < pages; page++) yield* note({ kind: "operationDone" });
    const thinkCycles = random.below(THINK_CYCLES);
    yield* usePages(file, { accesses: 4, thinkCycles, seed: round + 1 });
  }
  yield* measured.end(task);
}

export const writeback: Workload = {
  name: "writeback",
  summary: "every thread of one mm writes to k pages of its own and has them synced, in turn",
  program: (scene) =>
    function* (main) {
      const { kernel, cpus } = scene;
      const ready = new Barrier(kernel, cpus.length);
      const measured = new MeasuredPart(kernel, cpus.length);
      const program = (task: Task): KernelCode => writeAndSync(task, scene, ready, measured);
      for (const cpu of cpus.slice(1)) {
        yield* syscall(main, cloneThread(main, { name: `writer${cpu.id}`, program, cpu }));
      }
      yield* program(main);
      yield* syscall(main, waitForChildren(main));
    },
};
