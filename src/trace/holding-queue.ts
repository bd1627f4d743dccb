// Events in the order of the file, some of them held back until something later completes them. No
// event overtakes another, so one held event holds all behind it, up to a limit that bounds memory.

import type { TraceEvent } from "./trace-event.ts";

/** An event in the queue; `event` may be replaced until it has left. */
export interface QueuedEvent {
  event: TraceEvent;
  /** Reasons to hold it back. */
  holds: number;
  left: boolean;
  next: QueuedEvent | undefined;
}

/** Events held back at most: about 10 ms of a busy trace, some megabytes. */
export const HOLD_LIMIT = 20_000;

export class HoldingQueue {
  private first: QueuedEvent | undefined;
  private last: QueuedEvent | undefined;
  private length = 0;

  constructor(private readonly limit = HOLD_LIMIT) {}

  /** The event appended last, unless it has left. */
  get tail(): QueuedEvent | undefined {
    return this.last;
  }

  append(event: TraceEvent): QueuedEvent {
    const queued = { event, holds: 0, left: false, next: undefined };
    if (this.last === undefined) this.first = queued;
    else this.last.next = queued;
    this.last = queued;
    this.length++;
    return queued;
  }

  /** `event` gets the place right behind `anchor`, which must not have left. */
  insertAfter(anchor: QueuedEvent, event: TraceEvent): void {
    anchor.next = { event, holds: 0, left: false, next: anchor.next };
    if (this.last === anchor) this.last = anchor.next;
    this.length++;
  }

  /** The next event that nothing holds; beyond the limit the first one, held or not. */
  take(): TraceEvent | undefined {
    const taken = this.first;
    if (taken === undefined || (taken.holds > 0 && this.length <= this.limit)) return undefined;
    this.first = taken.next;
    if (this.first === undefined) this.last = undefined;
    this.length--;
    taken.left = true;
    return taken.event;
  }

  /** At the end of the file: nothing will complete what is still held. */
  releaseAll(): void {
    for (let queued = this.first; queued !== undefined; queued = queued.next) queued.holds = 0;
  }
}
