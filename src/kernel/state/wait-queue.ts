// struct wait_queue_head: tasks that sleep until a condition holds, on data that its lock guards.

import { Cell, type Line } from "../operation/cell.ts";
import type { Task } from "./task.ts";

export class WaitQueue {
  readonly lock: Cell<number>;
  /** Guarded by `lock`. */
  readonly sleepers: Task[] = [];

  constructor(name: string, line: Line) {
    this.lock = new Cell(`${name}.lock`, line, 0);
  }
}
