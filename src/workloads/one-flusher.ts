// The shape that munmap, madvise and mprotect share: one thread changes its mappings round after
// round while threads of the same process run on every other CPU.

import { type PageRange, pageAfter } from "../base/address.ts";
import { waitForChildren } from "../kernel/process/exit.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { STACK } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Program, Task } from "../kernel/state/task.ts";
import { usePages } from "./memory.ts";
import { startSpinners } from "./spinners.ts";
import type { Scene } from "./workload.ts";

/** One round; gets and returns what the next round gets. */
export type Round = (task: Task, range: PageRange | null) => KernelCode<PageRange | null>;

/** Rounds before the measured ones: page-table pages and lines get to where they stay. */
const WARM_UP_ROUNDS = 2;

/** A little work between two rounds, of a length by chance: rounds meet the others at any point. */
function* compute(scene: Scene): KernelCode {
  const page = { start: STACK.start, end: pageAfter(STACK.start, 1) };
  const thinkCycles = 50 + scene.random.below(100);
  yield* usePages(page, { accesses: 4, thinkCycles, seed: 1 });
}

export function oneFlusher(scene: Scene, round: Round): Program {
  return function* (task) {
    const spinners = yield* startSpinners(task, scene);
    let range: PageRange | null = null;
    for (let count = -WARM_UP_ROUNDS; count < scene.rounds; count++) {
      if (count === 0) yield* note({ kind: "measureBegin" });
      range = yield* round(task, range);
      yield* note({ kind: "operationDone" });
      yield* compute(scene);
    }
    yield* note({ kind: "measureEnd" });
    spinners.stop();
    yield* syscall(task, waitForChildren(task));
  };
}
