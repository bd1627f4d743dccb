// One thread gives k pages back with MADV_DONTNEED and touches them again: will-it-scale's
// tlb_flush.

import { discardPages, mapMemory, touchPages } from "./memory.ts";
import { oneFlusher } from "./one-flusher.ts";
import type { Workload } from "./workload.ts";

export const madvise: Workload = {
  name: "madvise",
  summary: "N threads of one mm, one of them discards k touched pages round after round",
  program: (scene) =>
    oneFlusher(scene, function* (task, kept) {
      const range = kept ?? (yield* mapMemory(task, scene));
      yield* touchPages(range, "write");
      yield* discardPages(task, range);
      return range;
    }),
};
