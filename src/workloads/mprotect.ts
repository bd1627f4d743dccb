// One thread takes away write access to k pages and gives it back: no page is freed.

import { mapMemory, protectPages, touchPages } from "./memory.ts";
import { oneFlusher } from "./one-flusher.ts";
import type { Workload } from "./workload.ts";

export const mprotect: Workload = {
  name: "mprotect",
  summary: "N threads of one mm, one of them makes k pages read-only and writable again",
  program: (scene) =>
    oneFlusher(scene, function* (task, kept) {
      const range = kept ?? (yield* mapMemory(task, scene));
      yield* touchPages(range, "write");
      yield* protectPages(task, range, false);
      yield* touchPages(range, "read");
      yield* protectPages(task, range, true);
      return range;
    }),
};
