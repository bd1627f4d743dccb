// System calls that use no user memory while they change it: munmap, madvise, mprotect. A protocol
// may pass over the CPUs that are in one, for they catch up before they are in user mode again.

import type { Cpu } from "../state/cpu.ts";
import { call, type KernelCode } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

/** Runs `body`, the whole of such a system call. No other task runs meanwhile. */
export function* batchedCall(cpu: Cpu, body: KernelCode): KernelCode {
  yield* mightSleep("batchedCall");
  const { batchedCalls } = cpu.kernel.protocol;
  if (batchedCalls === undefined) return yield* body;
  yield* batchedCalls.begin(cpu);
  yield* call(body);
  yield* batchedCalls.end(cpu);
}

nameFunctions({ batchedCall });
