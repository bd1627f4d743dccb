// The shape that munmap, madvise and mprotect share: one thread changes its mappings round after
// round while threads of the same process run on every other CPU.

import type { PageRange } from "../base/address.ts";
import { waitForChildren } from "../kernel/exit.ts";
import { type Kernel, note } from "../kernel/operation.ts";
import { syscall } from "../kernel/syscall.ts";
import type { Program, Task } from "../kernel/task.ts";
import { startSpinners } from "./spinners.ts";
import type { Scene } from "./workload.ts";

/** One round; gets and returns what the next round gets. */
export type Round = (task: Task, range: PageRange | null) => Kernel<PageRange | null>;

/** Rounds before the measured ones: page-table pages and lines get to where they stay. */
const WARM_UP_ROUNDS = 2;

export function oneFlusher(scene: Scene, round: Round): Program {
  return function* (task) {
    const spinners = yield* startSpinners(task, scene);
    let range: PageRange | null = null;
    for (let count = 0; count < WARM_UP_ROUNDS; count++) range = yield* round(task, range);
    yield* note({ kind: "measureBegin" });
    for (let count = 0; count < scene.rounds; count++) range = yield* round(task, range);
    yield* note({ kind: "measureEnd" });
    spinners.stop();
    yield* syscall(task, waitForChildren(task));
  };
}
