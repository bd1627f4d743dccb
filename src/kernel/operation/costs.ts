// Cycles of kernel work that is not a machine instruction, a shared line or a walk: those are
// charged where they happen. Only relations between configurations should be read out of sums of
// these.

export interface Cost {
  readonly name: string;
  readonly cycles: number;
  readonly source: string;
}

const MICRO = "a share of what the call was measured to take (docs/modelling.md, Kernel work)";

const cost = (name: string, cycles: number, source: string): Cost => ({ name, cycles, source });

/** Every named piece of kernel work. All are estimates: see the source of each. */
export const costs = {
  syscallBody: cost("syscallBody", 150, "getpid takes 312 cycles; the instruction pair aside"),
  pickNextTask: cost("pickNextTask", 300, "pick_next_task and dequeue; recalled profile share"),
  switchTo: cost(
    "switchTo",
    250,
    "__switch_to, FPU and stack; switch_mm is 50 % of a switch (Rik 2018)",
  ),
  wakeUp: cost("wakeUp", 400, "try_to_wake_up with select_task_rq and enqueue; recalled share"),
  pipeCopy: cost("pipeCopy", 250, "pipe_read/pipe_write of one byte; recalled share"),
  scanMask: cost("scanMask", 20, "find_next_bit over one or two words"),
  mapArea: cost("mapArea", 1500, `mmap of one area: ${MICRO}`),
  unmapArea: cost("unmapArea", 2000, `munmap of 512 untouched pages, 3 484 cycles: ${MICRO}`),
  protectArea: cost("protectArea", 2500, `mprotect of one area: ${MICRO}`),
  adviseRange: cost("adviseRange", 700, `madvise, 2 886 cycles with one page: ${MICRO}`),
  vmapArea: cost("vmapArea", 1_000, "alloc_vmap_area or free_vmap_area; recalled magnitude"),
  zapPage: cost("zapPage", 120, `zap_pte_range and page_remove_rmap for one page: ${MICRO}`),
  freePage: cost("freePage", 150, `release_pages for one page: ${MICRO}`),
  protectPage: cost("protectPage", 90, `change_pte_range for one page: ${MICRO}`),
  handleFault: cost(
    "handleFault",
    600,
    `exc_page_fault to handle_pte_fault; an anonymous fault takes 3 302 cycles in all: ${MICRO}`,
  ),
  addPage: cost(
    "addPage",
    300,
    "counters, rmap and LRU of a new page, under the lock: an estimate",
  ),
  faultSpurious: cost("faultSpurious", 100, "an entry that is there is made young or writable"),
  allocatePage: cost("allocatePage", 250, "alloc_pages from the per-CPU list; recalled"),
  clearPage: cost("clearPage", 250, "clear_page_erms of 4 KiB; recalled"),
  copyPage: cost("copyPage", 500, "copy_user_highpage of 4 KiB; recalled"),
  reclaimPage: cost(
    "reclaimPage",
    400,
    "shrink_page_list and the rmap walk for one page; recalled",
  ),
  forkTask: cost("forkTask", 20_000, "copy_process without copy_mm; recalled magnitude"),
  copyEntry: cost("copyEntry", 60, "copy_present_pte for one page; recalled"),
  execImage: cost("execImage", 60_000, "bprm and ELF loading without I/O; recalled magnitude"),
  exitTask: cost("exitTask", 8_000, "do_exit without exit_mm; recalled magnitude"),
  reapTask: cost("reapTask", 2_000, "wait4 and release_task; recalled magnitude"),
  freeMm: cost("freeMm", 500, "__mmdrop without the shootdown; recalled"),
  createMm: cost("createMm", 1_500, "mm_init with the root's kernel half; recalled"),
  callQueue: cost("callQueue", 40, "csd bookkeeping of one target; recalled"),
  flushBody: cost("flushBody", 60, "flush_tlb_func's own instructions; recalled"),
  latrState: cost("latrState", 60, "writing one LATR state, its line apart; an estimate"),
  latrSweep: cost("latrSweep", 10, "looking at one CPU's LATR ring, its lines apart; an estimate"),
  userWork: cost("userWork", 200, "a request's own computation; a workload's choice"),
} as const satisfies Record<string, Cost>;
