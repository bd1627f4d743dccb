// What a program does with its memory: the system calls and the accesses, as user code sees them.

import { type PageNumber, type PageRange, pagesIn } from "../base/address.ts";
import { userStream } from "../machine/stream.ts";
import { madviseDontNeed } from "../kernel/memory/madvise.ts";
import { type MapRequest, mmap, munmap } from "../kernel/memory/mmap.ts";
import { mprotect } from "../kernel/memory/mprotect.ts";
import { type KernelCode, runUser } from "../kernel/operation/operation.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import { pagesPer } from "../machine/page-table.ts";
import type { Task } from "../kernel/state/task.ts";
import type { Scene } from "./workload.ts";

export function* mapPages(task: Task, request: MapRequest): KernelCode<PageRange> {
  return yield* syscall(task, mmap(task.cpu, task.mm!, request));
}

/** Maps what one operation of the workload covers, of its page size, and `more` such pages. */
export function* mapMemory(task: Task, scene: Scene, more = 0): KernelCode<PageRange> {
  const { pageSize = "4K" } = scene;
  const pageCount = (scene.pages + more) * pagesPer(pageSize);
  return yield* mapPages(task, { pageCount, pageSize });
}

export function* unmapPages(task: Task, range: PageRange): KernelCode {
  yield* syscall(task, munmap(task.cpu, task.mm!, range));
}

export function* protectPages(task: Task, range: PageRange, writable: boolean): KernelCode {
  yield* syscall(task, mprotect(task.cpu, task.mm!, range, { writable, executable: false }));
}

export function* discardPages(task: Task, range: PageRange): KernelCode {
  yield* syscall(task, madviseDontNeed(task.cpu, task.mm!, range));
}

/** Touches each 4 KiB of the range once, in order. */
export function* touchPages(range: PageRange, kind: "read" | "write"): KernelCode {
  const elements = pagesIn(range);
  yield* runUser(
    userStream({ base: range.start, elements, accesses: elements, kind, order: "sequential" }),
  );
}

/** Works on the range: `accesses` reads of random pages with computation between them. */
export function* usePages(
  range: PageRange,
  options: { readonly accesses: number; readonly thinkCycles: number; readonly seed: number },
): KernelCode {
  const { accesses, thinkCycles, seed } = options;
  const elements = pagesIn(range);
  const base: PageNumber = range.start;
  yield* runUser(userStream({ base, elements, accesses, thinkCycles, seed, order: "random" }));
}
