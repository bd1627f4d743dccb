// As many threads as CPUs, in pairs that pass a byte back and forth over two pipes. A thread that
// waits leaves its CPU idle, so that every switch goes through idle: the benchmark behind the
// published 1 M -> 118 M switches a second (will-it-scale context_switch1_threads on 192 cores).

import { waitForChildren } from "../kernel/process/exit.ts";
import type { KernelCode } from "../kernel/operation/operation.ts";
import { cloneThread } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { Barrier } from "./barrier.ts";
import { mapPages, touchPages, usePages } from "./memory.ts";
import { type Ends, pairOf, Progress, takeTurns } from "./turns.ts";
import type { Scene, Workload } from "./workload.ts";

/** Stack and heap that a thread uses in every round. */
const OWN_PAGES = 4;

/** One half of a pair, which uses the same few pages in each turn. */
function* play(task: Task, scene: Scene, ends: Ends, progress: Progress): KernelCode {
  const memory = yield* mapPages(task, { pageCount: OWN_PAGES });
  yield* touchPages(memory, "write");
  const accesses = 1 + scene.random.below(8);
  yield* usePages(memory, { accesses, thinkCycles: 400, seed: task.pid });
  yield* takeTurns(task, ends, progress, () => touchPages(memory, "read"));
}

export const pingpong: Workload = {
  name: "pingpong",
  summary: "as many threads as CPUs, in pairs that wake each other; every switch goes through idle",
  program: (scene) =>
    function* (main) {
      const pairs = Math.max(1, Math.floor(scene.cpus.length / 2));
      const progress = new Progress(2 * pairs, scene.rounds);
      const ready = new Barrier(scene.kernel, 2 * pairs);
      for (let pair = 0; pair < pairs; pair++) {
        const cpus = [2 * pair, 2 * pair + 1].map((id) => scene.cpus[id % scene.cpus.length]!);
        const homes = cpus.map(({ id }) => id);
        for (const [half, ends] of pairOf(scene, `pipe${pair}`, homes).entries()) {
          const cpu = cpus[half]!;
          const program = function* (task: Task): KernelCode {
            yield* ready.arriveAndWait(task);
            yield* play(task, scene, ends, progress);
          };
          yield* syscall(main, cloneThread(main, { name: `player${cpu.id}`, program, cpu }));
        }
      }
      yield* syscall(main, waitForChildren(main));
    },
};
