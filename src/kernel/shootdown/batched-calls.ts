// Userspace-safe batching (EuroSys'20, recalled): a CPU in certain system calls says so, flushes
// pass it over as they do a lazy one, and at the call's end it catches up with all of them at once.
// What such a CPU must not meet meanwhile is a table that is freed: those flushes do interrupt it.
// Left out: msync's flush for each page that it cleans, which the paper batches too: there are no
// files here, and every other call of this kernel flushes once.

import type { Cpu } from "../state/cpu.ts";
import { isMutated } from "../state/mutated.ts";
import {
  disableInterrupts,
  enableInterrupts,
  fence,
  type KernelCode,
  load,
  store,
} from "../operation/operation.ts";
import { ownLoadedMm } from "./asid.ts";
import { catchUp, isNotLazy } from "./generation.ts";
import type { BatchedCalls } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

export const batchedCalls: BatchedCalls = {
  /** A plain store: who does not see it yet interrupts this CPU, to no harm. */
  *begin(cpu: Cpu): KernelCode {
    yield* store(cpu.tlb.inBatchedCall, true);
  },

  *end(cpu: Cpu): KernelCode {
    yield* disableInterrupts();
    yield* store(cpu.tlb.inBatchedCall, false);
    // Pairs with the increment of the generation, as on the way out of lazy mode.
    if (!isMutated(cpu, "batched-call-ends-without-barrier")) yield* fence();
    yield* catchUp(cpu, yield* ownLoadedMm(cpu));
    yield* enableInterrupts();
  },
};

/** Neither lazy nor in such a call: to be interrupted. */
export function* isInUserReach(target: Cpu): KernelCode<boolean> {
  return (yield* isNotLazy(target)) && !(yield* load(target.tlb.inBatchedCall));
}

nameFunctions({ isInUserReach });
