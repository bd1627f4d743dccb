// One entry of a task's kernel stack: kernel code in progress, or an interrupt on top of it, and
// what it is waiting for. The executor keeps them.

import type { Cell } from "./cell.ts";
import type { Stream } from "../../machine/stream.ts";
import type { KernelCode, Operation } from "./operation.ts";

/**
 * What put an activation on the stack: a task's start, a call that awaits its result, an interrupt,
 * or an exception (a fault, or the way back to user mode) under which the code below waits.
 */
export type ActivationKind = "task" | "call" | "interrupt" | "exception";

/** What an activation is doing between two operations of its code. */
export type Activity = "ready" | "working" | "waiting" | "queued" | "parked" | "idle" | "user";

export class Activation {
  activity: Activity = "ready";
  /** What the next `next()` of the code gets. */
  result: unknown = undefined;
  /** What the code has yielded and nobody has carried out yet; for executors that look ahead. */
  pending: Operation | null = null;
  /** Cycles left of the work in progress ("working"). */
  workLeft = 0;
  /** The cell watched, and the condition ("waiting", "queued", "parked", "idle"). */
  cell: Cell | null = null;
  until: ((value: never) => boolean) | null = null;
  /** When the watched cell changed: the condition is looked at again then. */
  wakeCycle = Infinity;
  /** In the idle state, which takes time to leave. */
  asleep = false;
  /** The CPU on which the code waits. */
  cpu = -1;
  /** The accesses in progress ("user"). */
  stream: Stream | null = null;

  constructor(
    readonly code: KernelCode<unknown>,
    readonly kind: ActivationKind,
    /** The vector of an interrupt. */
    readonly vector: number = -1,
    /** When the interrupt was accepted. */
    readonly startCycle: number = 0,
  ) {}
}

/** Whether it waits for another CPU, and not for as long as it takes. */
export const isWaiting = ({ activity }: Activation): boolean =>
  activity === "waiting" || activity === "queued";
