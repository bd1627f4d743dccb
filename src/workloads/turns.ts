// Two tasks take turns: each waits for a byte, does something, and hands the byte on.

import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { Pipe, readPipe, writePipe } from "../kernel/process/pipe.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import type { Scene } from "./workload.ts";

/** Turns of each task before the measured part, so that every pair is in step. */
const WARM_UP_ROUNDS = 4;

/** When the measured part is: from the moment in which every task has warmed up until the first
 *  one has played its measured rounds. */
export class Progress {
  private warm = 0;
  isOver = false;

  constructor(
    private readonly taskCount: number,
    private readonly rounds: number,
  ) {}

  get isOpen(): boolean {
    return this.warm === this.taskCount;
  }

  *warmedUp(): KernelCode {
    this.warm++;
    if (this.isOpen) yield* note({ kind: "measureBegin" });
  }

  *played(rounds: number): KernelCode {
    if (this.isOver || rounds < this.rounds) return;
    this.isOver = true;
    yield* note({ kind: "measureEnd" });
  }
}

/** One of a pair's two places. */
export interface Ends {
  readonly from: Pipe;
  readonly to: Pipe;
  readonly starts: boolean;
}

/** The two places of a pair, whose pipes are homed at a CPU each. */
export function pairOf(scene: Scene, name: string, homes: readonly number[]): readonly Ends[] {
  const pipes = homes.map((home, half) => new Pipe(scene.kernel, `${name}.${half}`, home));
  return pipes.map((from, half) => ({ from, to: pipes[1 - half]!, starts: half === 0 }));
}

/** Takes turns with the other one, until the game is over. */
export function* takeTurns(
  task: Task,
  { from, to, starts }: Ends,
  progress: Progress,
  turn: () => KernelCode,
): KernelCode {
  if (starts) yield* syscall(task, writePipe(task, to));
  let measured = 0;
  // Whether this is the last turn is asked before the byte goes on: whoever gets it asks later, so
  // that nobody waits for one who has gone.
  for (let round = 1, isLast = false; !isLast; round++) {
    yield* syscall(task, readPipe(task, from));
    yield* turn();
    yield* note({ kind: "operationDone" });
    isLast = progress.isOver;
    yield* syscall(task, writePipe(task, to));
    if (round === WARM_UP_ROUNDS) yield* progress.warmedUp();
    else if (progress.isOpen) yield* progress.played(++measured);
  }
}
