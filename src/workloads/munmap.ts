// One thread maps, touches and unmaps k pages while the others run: the classic shootdown.

import { mapMemory, touchPages, unmapPages } from "./memory.ts";
import { oneFlusher } from "./one-flusher.ts";
import type { Workload } from "./workload.ts";

export const munmap: Workload = {
  name: "munmap",
  summary: "N threads of one mm, one of them unmaps k touched pages round after round",
  program: (scene) =>
    oneFlusher(scene, function* (task) {
      const range = yield* mapMemory(task, scene);
      yield* touchPages(range, "write");
      yield* unmapPages(task, range);
      return null;
    }),
};
