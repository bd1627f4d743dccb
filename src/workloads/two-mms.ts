// Two tasks on each CPU hand a byte to and fro, and work on memory of their own between. Three
// ways to share address spaces: a process for each task; one process for the two places on all
// CPUs each; one process for everybody.

import type { Cpu } from "../kernel/state/cpu.ts";
import { waitForChildren } from "../kernel/process/exit.ts";
import type { KernelCode } from "../kernel/operation/operation.ts";
import { cloneThread, fork } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Program, Task } from "../kernel/state/task.ts";
import { Barrier } from "./barrier.ts";
import { mapMemory, touchPages, usePages } from "./memory.ts";
import { type Ends, pairOf, Progress, takeTurns } from "./turns.ts";
import type { Scene, Workload } from "./workload.ts";

/** A place on a CPU, and the program of the task that takes it. */
interface Place {
  readonly name: string;
  readonly cpu: Cpu;
  readonly program: Program;
}

/** The places, first all that start and then all that answer, one of each on every CPU. */
function placesOf(scene: Scene): readonly (readonly Place[])[] {
  const { kernel, cpus, rounds } = scene;
  const ready = new Barrier(kernel, 2 * cpus.length);
  const progress = new Progress(2 * cpus.length, rounds);
  const pairs = cpus.map(({ id }) => pairOf(scene, `pipe${id}`, [id, id]));
  return [0, 1].map((half) =>
    cpus.map((cpu, index) => {
      const ends = pairs[index]![half]!;
      const program = function* (task: Task): KernelCode {
        yield* play(task, scene, { ends, ready, progress });
      };
      return { name: `task${cpu.id}.${half}`, cpu, program };
    }),
  );
}

interface Game {
  readonly ends: Ends;
  readonly ready: Barrier;
  readonly progress: Progress;
}

/** One task; an operation is a turn of it. */
function* play(task: Task, scene: Scene, { ends, ready, progress }: Game): KernelCode {
  const memory = yield* mapMemory(task, scene);
  yield* touchPages(memory, "write");
  yield* ready.arriveAndWait(task);
  let turns = 0;
  yield* takeTurns(task, ends, progress, function* () {
    yield* touchPages(memory, "read");
    const thinkCycles = 10 + scene.random.below(20);
    yield* usePages(memory, { accesses: 2, thinkCycles, seed: ++turns });
  });
}

/** A process that has all of `places` for threads of it. */
const sharedBy = (places: readonly Place[]): Program =>
  function* (leader) {
    for (const place of places) yield* syscall(leader, cloneThread(leader, place));
    yield* syscall(leader, waitForChildren(leader));
  };

export const twoMms: Workload = {
  name: "two-mms",
  summary: "two processes on each CPU take turns, and read k pages of their own in every turn",
  program: (scene) =>
    function* (main) {
      for (const place of placesOf(scene).flat()) yield* syscall(main, fork(main, place));
      yield* syscall(main, waitForChildren(main));
    },
};

export const sharedMms: Workload = {
  name: "shared-mms",
  summary: "two processes have a thread on each CPU, where the two take turns as in two-mms",
  program: (scene) =>
    function* (main) {
      for (const [half, places] of placesOf(scene).entries()) {
        const { cpu } = places[0]!;
        const request = { name: `process${half}`, cpu, program: sharedBy(places) };
        yield* syscall(main, fork(main, request));
      }
      yield* syscall(main, waitForChildren(main));
    },
};

export const twoThreads: Workload = {
  name: "two-threads",
  summary: "two threads of one process on each CPU take turns: a switch leaves the mm as it is",
  program: (scene) => sharedBy(placesOf(scene).flat()),
};
