// arch/x86/kernel/smp.c: what the inter-processor vectors and the timer's do, and the way back to
// user mode.

import type { Cpu } from "../state/cpu.ts";
import { NEED_RESCHED } from "../state/task.ts";
import { call, endOfInterrupt, type KernelCode, load } from "../operation/operation.ts";
import { enterKernel, leaveKernel, switchToKernelCr3, switchToUserCr3 } from "./pti.ts";
import { schedule } from "./schedule.ts";
import { flushCallQueue } from "./smp.ts";
import {
  CALL_FUNCTION_SINGLE_VECTOR,
  CALL_FUNCTION_VECTOR,
  INVALIDATE_VECTOR,
  TIMER_VECTOR,
} from "../operation/vectors.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

/** The handler of `vector`, from its first instruction to IRET. Interrupts are off. */
export function* serveInterrupt(cpu: Cpu, vector: number): KernelCode {
  yield* needInterruptsOff("sysvec_call_function");
  const fromUser = yield* switchToKernelCr3(cpu);
  yield* endOfInterrupt(); // acknowledged at entry, as sysvec_call_function does
  if (vector === CALL_FUNCTION_VECTOR || vector === CALL_FUNCTION_SINGLE_VECTOR) {
    yield* flushCallQueue(cpu);
  }
  const { serveInterrupt: serveOwn } = cpu.kernel.protocol;
  if (vector === INVALIDATE_VECTOR && serveOwn !== undefined) yield* call(serveOwn(cpu));
  if (vector === TIMER_VECTOR) {
    yield* call(cpu.kernel.protocol.tick!.serve(cpu)); // update_process_times
  }
  // RESCHEDULE_VECTOR does nothing itself: NEED_RESCHED is set, and looked at on the way out.
  if (fromUser) yield* switchToUserCr3(cpu);
}

/**
 * exit_to_user_mode_loop: a task that was woken may take the CPU here. After an interrupt, an entry
 * of its own: Linux looks before it gives up the kernel's root, and writes CR3 twice less.
 */
export function* returnToUser(cpu: Cpu): KernelCode {
  yield* enterKernel(cpu);
  let here = cpu;
  if (((yield* load(cpu.current.flags)) & NEED_RESCHED) !== 0) here = yield* schedule(cpu);
  yield* leaveKernel(here);
}

nameFunctions({ sysvec_call_function: serveInterrupt, exit_to_user_mode_loop: returnToUser });
