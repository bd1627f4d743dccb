// As many threads as CPUs, in pairs that pass a byte back and forth over two pipes. A thread that
// waits leaves its CPU idle, so that every switch goes through idle: the benchmark behind the
// published 1 M -> 118 M switches a second (will-it-scale context_switch1_threads on 192 cores).

import { waitForChildren } from "../kernel/exit.ts";
import { type Kernel, note } from "../kernel/operation.ts";
import { Pipe, readPipe, writePipe } from "../kernel/pipe.ts";
import { cloneThread } from "../kernel/process.ts";
import { syscall } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { Barrier } from "./barrier.ts";
import { mapPages, touchPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

/** Rounds before the measured part, so that every pair is in step. */
const WARM_UP_ROUNDS = 4;

/** Stack and heap that a thread uses in every round. */
const OWN_PAGES = 4;

/** When the measured part is: from the moment in which every thread has warmed up until the first
 *  one has played its measured rounds. */
class Progress {
  private warm = 0;
  isOver = false;

  constructor(
    private readonly threadCount: number,
    private readonly rounds: number,
  ) {}

  get isOpen(): boolean {
    return this.warm === this.threadCount;
  }

  *warmedUp(): Kernel {
    this.warm++;
    if (this.isOpen) yield* note({ kind: "measureBegin" });
  }

  *played(rounds: number): Kernel {
    if (this.isOver || rounds < this.rounds) return;
    this.isOver = true;
    yield* note({ kind: "measureEnd" });
  }
}

/** One half of a pair: reads from one pipe, writes to the other, until the game is over. */
function* play(task: Task, scene: Scene, ends: Ends, progress: Progress): Kernel {
  const { from, to, starts } = ends;
  const memory = yield* mapPages(task, { pageCount: OWN_PAGES });
  yield* touchPages(memory, "write");
  const accesses = 1 + scene.random.below(8);
  yield* usePages(memory, { accesses, thinkCycles: 400, seed: task.pid });
  if (starts) yield* syscall(task, writePipe(task, to));
  let measured = 0;
  for (let round = 1; !progress.isOver; round++) {
    yield* syscall(task, readPipe(task, from));
    yield* touchPages(memory, "read");
    yield* note({ kind: "operationDone" });
    yield* syscall(task, writePipe(task, to)); // always: the other one sees the end, too
    if (round === WARM_UP_ROUNDS) yield* progress.warmedUp();
    else if (progress.isOpen) yield* progress.played(++measured);
  }
}

interface Ends {
  readonly from: Pipe;
  readonly to: Pipe;
  readonly starts: boolean;
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
        const pipes = cpus.map((cpu) => new Pipe(scene.kernel, `pipe${pair}`, cpu.id));
        for (const [half, cpu] of cpus.entries()) {
          const ends = { from: pipes[half]!, to: pipes[1 - half]!, starts: half === 0 };
          const program = function* (task: Task): Kernel {
            yield* ready.arriveAndWait(task);
            yield* play(task, scene, ends, progress);
          };
          yield* syscall(main, cloneThread(main, { name: `player${cpu.id}`, program, cpu }));
        }
      }
      yield* syscall(main, waitForChildren(main));
    },
};
