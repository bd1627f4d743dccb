// One thread maps, touches and unmaps k pages while the others run: the classic shootdown.

import { mapPages, touchPages, unmapPages } from "./memory.ts";
import { oneFlusher } from "./one-flusher.ts";
import type { Workload } from "./workload.ts";

export const munmap: Workload = {
  name: "munmap",
  summary: "N threads of one mm, one of them unmaps k touched pages round after round",
  program: (scene) =>
    oneFlusher(scene, function* (task) {
      const range = yield* mapPages(task, { pageCount: scene.pages });
      yield* touchPages(range, "write");
      yield* unmapPages(task, range);
      return null;
    }),
};
