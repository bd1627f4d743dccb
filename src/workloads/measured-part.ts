// The measured part of a workload in which every thread does the same: from the moment in which the
// first one starts its rounds until the last one has done them. Wake-ups come one after the other,
// so the first ones are at work before the last ones have started.

import { type Kernel, note } from "../kernel/operation.ts";

export class MeasuredPart {
  private hasBegun = false;

  constructor(private threadsLeft: number) {}

  /** A thread starts its rounds. */
  *begin(): Kernel {
    if (this.hasBegun) return;
    this.hasBegun = true;
    yield* note({ kind: "measureBegin" });
  }

  /** A thread has done its rounds. */
  *end(): Kernel {
    if (--this.threadsLeft === 0) yield* note({ kind: "measureEnd" });
  }
}
