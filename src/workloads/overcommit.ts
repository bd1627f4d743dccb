// The threads of one process run on vCPUs, of which the host takes one away now and then: a flush
// meets a CPU that cannot answer.

import {} from "../kernel/operation/operation.ts";
import { preemptVcpu } from "../kernel/operation/vcpu-operation.ts";
import { mapMemory, touchPages, unmapPages } from "./memory.ts";
import { oneFlusher } from "./one-flusher.ts";
import type { Workload } from "./workload.ts";

/** How long the host keeps a vCPU: far longer than a flush, far shorter than a time slice. */
const PREEMPTED_CYCLES = 100_000;

export const overcommit: Workload = {
  name: "overcommit",
  summary: "munmap on vCPUs, one of which the host preempts in every second round",
  program: (scene) => {
    let round = 0;
    return oneFlusher(scene, function* (task) {
      const others = scene.cpus.slice(1);
      const range = yield* mapMemory(task, scene);
      yield* touchPages(range, "write");
      if (round++ % 2 === 1 && others.length > 0) {
        yield* preemptVcpu(others[scene.random.below(others.length)]!, PREEMPTED_CYCLES);
      }
      yield* unmapPages(task, range);
      return null;
    });
  },
};
