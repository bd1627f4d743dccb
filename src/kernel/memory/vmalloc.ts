// mm/vmalloc.c: pages of the kernel half. Its tables are the same under every root, with page-table
// isolation under every kernel root; they are made once and never freed.
//
// Unlike Linux, which gathers unmapped areas and flushes once for many, each vfree flushes.

import { type FrameNumber, pageNumber, pageAfter, type PageRange } from "../../base/address.ts";
import { entryOf, frameOfEntry } from "../../machine/page-table.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { flushKernelRange } from "./flush.ts";
import type { Kernel } from "../state/kernel.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import {
  exchangeEntry,
  type KernelCode,
  work,
  workTimes,
  writeEntry,
} from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

/** VMALLOC_START with four levels. */
export const VMALLOC_START = pageNumber(0xffffc_9000_0000);

/** PAGE_KERNEL: global unless page-table isolation is on (__default_kernel_pte_mask). */
const kernelEntry = (kernel: Kernel, frame: FrameNumber): bigint =>
  entryOf(frame, { writable: true, noExecute: true, global: !kernel.options.pti });

/** vmalloc: a range of fresh pages that every address space sees. */
export function* vmalloc(cpu: Cpu, pageCount: number): KernelCode<PageRange> {
  yield* mightSleep("vmalloc");
  const { initMm, frames } = cpu.kernel;
  yield* spinLock(cpu.kernel.vmapAreaLock);
  yield* work(costs.vmapArea);
  const range = initMm.areas.findFree(pageCount, VMALLOC_START);
  initMm.areas.add({ ...range, writable: true, executable: false });
  cpu.kernel.shareKernelTables(VMALLOC_START);
  yield* spinUnlock(cpu.kernel.vmapAreaLock);
  yield* workTimes(costs.allocatePage, pageCount);
  for (let page = range.start; page < range.end; page = pageAfter(page, 1)) {
    yield* writeEntry(initMm, page, kernelEntry(cpu.kernel, frames.allocate()));
  }
  return range;
}

/** vfree: unmaps, flushes, and only then gives the pages and the range back. */
export function* vfree(cpu: Cpu, range: PageRange): KernelCode {
  yield* mightSleep("vfree");
  const { initMm, frames } = cpu.kernel;
  const freed: FrameNumber[] = [];
  for (let page = range.start; page < range.end; page = pageAfter(page, 1)) {
    freed.push(frameOfEntry(yield* exchangeEntry(initMm, page, 0n)));
  }
  yield* flushKernelRange(cpu, range);
  for (const frame of freed) frames.release(frame);
  yield* workTimes(costs.freePage, freed.length);
  yield* spinLock(cpu.kernel.vmapAreaLock);
  yield* work(costs.vmapArea);
  initMm.areas.remove(range);
  yield* spinUnlock(cpu.kernel.vmapAreaLock);
}

nameFunctions({ vmalloc, vfree });
