// One thread makes the kernel map k pages of its own half, write to them and unmap them, as loading
// a BPF program or growing a kernel stack does: the flush goes to every CPU, whatever it runs.

import { pageAfter } from "../base/address.ts";
import type { Cpu } from "../kernel/state/cpu.ts";
import { type KernelCode, kernelAccess } from "../kernel/operation/operation.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import { vfree, vmalloc as mapPages } from "../kernel/memory/vmalloc.ts";
import { oneFlusher } from "./one-flusher.ts";
import type { Workload } from "./workload.ts";

/** The body of the system call. */
function* useKernelPages(cpu: Cpu, pageCount: number): KernelCode {
  const range = yield* mapPages(cpu, pageCount);
  for (let page = range.start; page < range.end; page = pageAfter(page, 1)) {
    yield* kernelAccess(page, "write");
  }
  yield* vfree(cpu, range);
}

export const vmalloc: Workload = {
  name: "vmalloc",
  summary: "N threads, one of them has the kernel map, use and unmap k kernel pages",
  program: (scene) =>
    oneFlusher(scene, function* (task, range) {
      yield* syscall(task, useKernelPages(task.cpu, scene.pages));
      return range;
    }),
};
