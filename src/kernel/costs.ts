// Cycles of kernel work that is not a machine instruction, a shared line or a walk: those are charged
// where they happen. Only relations between configurations should be read out of sums of these.

import type { Sourced } from "../presets/preset.ts";

export interface Cost {
  readonly name: string;
  readonly cycles: number;
  readonly source: string;
}

const MICRO =
  "share of the micro-measurements of section 8 of the recorded traces' description (Zen 5, Linux 6.18)";

const cost = (name: string, value: Sourced<number>): Cost => ({
  name,
  cycles: value.value,
  source: value.source,
});

const estimate = (value: number, source: string): Sourced<number> => ({
  value,
  source,
  estimate: true,
});

/** Every named piece of kernel work. All are estimates: see the source of each. */
export const costs = {
  syscallBody: cost(
    "syscallBody",
    estimate(150, "getpid takes 312 cycles; the instruction pair aside"),
  ),
  pickNextTask: cost(
    "pickNextTask",
    estimate(300, "pick_next_task and dequeue; recalled profile share"),
  ),
  switchTo: cost(
    "switchTo",
    estimate(250, "__switch_to, FPU and stack; switch_mm is 50 % of a switch (Rik 2018)"),
  ),
  wakeUp: cost(
    "wakeUp",
    estimate(400, "try_to_wake_up with select_task_rq and enqueue; recalled share"),
  ),
  pipeCopy: cost("pipeCopy", estimate(250, "pipe_read/pipe_write of one byte; recalled share")),
  scanMask: cost("scanMask", estimate(20, "find_next_bit over one or two words")),
  mapArea: cost("mapArea", estimate(1500, `mmap of one area: ${MICRO}`)),
  unmapArea: cost(
    "unmapArea",
    estimate(2000, `munmap of 512 untouched pages, 3 484 cycles: ${MICRO}`),
  ),
  protectArea: cost("protectArea", estimate(2500, `mprotect of one area: ${MICRO}`)),
  adviseRange: cost("adviseRange", estimate(700, `madvise, 2 886 cycles with one page: ${MICRO}`)),
  zapPage: cost(
    "zapPage",
    estimate(120, `zap_pte_range and page_remove_rmap for one page: ${MICRO}`),
  ),
  freePage: cost("freePage", estimate(150, `release_pages for one page: ${MICRO}`)),
  protectPage: cost("protectPage", estimate(90, `change_pte_range for one page: ${MICRO}`)),
  faultAnonymous: cost(
    "faultAnonymous",
    estimate(900, `anonymous minor fault, 3 302 cycles in all: ${MICRO}`),
  ),
  faultSpurious: cost(
    "faultSpurious",
    estimate(300, "handle_pte_fault that finds the entry already there"),
  ),
  allocatePage: cost("allocatePage", estimate(250, "alloc_pages from the per-CPU list; recalled")),
  clearPage: cost("clearPage", estimate(250, "clear_page_erms of 4 KiB; recalled")),
  copyPage: cost("copyPage", estimate(500, "copy_user_highpage of 4 KiB; recalled")),
  forkTask: cost("forkTask", estimate(20_000, "copy_process without copy_mm; recalled magnitude")),
  copyEntry: cost("copyEntry", estimate(60, "copy_present_pte for one page; recalled")),
  execImage: cost(
    "execImage",
    estimate(60_000, "bprm and ELF loading without I/O; recalled magnitude"),
  ),
  exitTask: cost("exitTask", estimate(8_000, "do_exit without exit_mm; recalled magnitude")),
  reapTask: cost("reapTask", estimate(2_000, "wait4 and release_task; recalled magnitude")),
  freeMm: cost("freeMm", estimate(500, "__mmdrop without the shootdown; recalled")),
  createMm: cost("createMm", estimate(1_500, "mm_init with the root's kernel half; recalled")),
  callQueue: cost("callQueue", estimate(40, "csd bookkeeping of one target; recalled")),
  flushBody: cost("flushBody", estimate(60, "flush_tlb_func's own instructions; recalled")),
  userWork: cost("userWork", estimate(200, "a request's own computation; a workload's choice")),
} as const satisfies Record<string, Cost>;
