// Two processes on each CPU hand a byte to and fro, and work on memory of their own between: the
// switch from one address space to another and back, which PCIDs were made for.

import { waitForChildren } from "../kernel/exit.ts";
import { type Kernel, note } from "../kernel/operation.ts";
import { Pipe, readPipe, writePipe } from "../kernel/pipe.ts";
import { fork } from "../kernel/process.ts";
import { syscall } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { Barrier } from "./barrier.ts";
import { MeasuredPart } from "./measured-part.ts";
import { mapMemory, touchPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

interface Table {
  readonly ready: Barrier;
  readonly part: MeasuredPart;
}

/** One process; an operation is a turn of it. */
function* take(task: Task, scene: Scene, ends: Ends, { ready, part }: Table): Kernel {
  const memory = yield* mapMemory(task, scene);
  yield* touchPages(memory, "write");
  yield* ready.arriveAndWait(task);
  yield* part.begin();
  for (let round = 0; round < scene.rounds; round++) {
    if (!ends.starts || round > 0) yield* syscall(task, readPipe(task, ends.from));
    yield* touchPages(memory, "read");
    const thinkCycles = 10 + scene.random.below(20);
    yield* usePages(memory, { accesses: 2, thinkCycles, seed: round + 1 });
    yield* note({ kind: "operationDone" });
    yield* syscall(task, writePipe(task, ends.to));
  }
  yield* part.end(task);
}

interface Ends {
  readonly from: Pipe;
  readonly to: Pipe;
  readonly starts: boolean;
}

export const twoMms: Workload = {
  name: "two-mms",
  summary: "two processes on each CPU take turns, and read k pages of their own in every turn",
  program: (scene) =>
    function* (main) {
      const count = 2 * scene.cpus.length;
      const { kernel } = scene;
      const table = { ready: new Barrier(kernel, count), part: new MeasuredPart(kernel, count) };
      for (const cpu of scene.cpus) {
        const pipes = [0, 1].map((end) => new Pipe(kernel, `pipe${cpu.id}.${end}`, cpu.id));
        for (const half of [0, 1]) {
          const ends = { from: pipes[half]!, to: pipes[1 - half]!, starts: half === 0 };
          const program = (task: Task): Kernel => take(task, scene, ends, table);
          yield* syscall(main, fork(main, { name: `process${cpu.id}.${half}`, program, cpu }));
        }
      }
      yield* syscall(main, waitForChildren(main));
    },
};
