// Asking for a flush: what the kernel's callers use. The protocol does the work; that a flush was
// asked for, and is over, is told here, so that no protocol can forget to be checked.

import type { PageRange } from "../../base/address.ts";
import type { Cell } from "../operation/cell.ts";
import type { Cpu } from "../state/cpu.ts";
import { call, type KernelCode, note } from "../operation/operation.ts";
import type { Mm } from "../state/mm.ts";
import type { FlushRequest, PostponedUnmap } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOn } from "../operation/precondition.ts";

/** flush_tlb_mm_range: see ShootdownProtocol.flushRange. */
export function* flushRange(cpu: Cpu, request: FlushRequest): KernelCode {
  const { mm, range } = request;
  yield* needInterruptsOn("flush_tlb_mm_range");
  yield* note({ kind: "flushBegin", mm, range });
  const remote = yield* call(cpu.kernel.protocol.flushRange(cpu, request));
  yield* note({ kind: "flushReturn", mm, range, remote });
}

/**
 * flush_tlb_range: for mremap and for changes of large pages. Whether tables are freed it cannot
 * know; since Linux 6.15 it says so, for the sake of callers that take tables away (3ef938c3503f).
 */
export function* flushTlbRange(cpu: Cpu, request: Omit<FlushRequest, "freedTables">): KernelCode {
  const freedTables = cpu.kernel.protocol.traits.flushTlbRange === "frees-tables";
  yield* flushRange(cpu, { ...request, freedTables });
}

/** Whether the flush of what is unmapped now can be left to the others. */
export function* canPostponeUnmap(cpu: Cpu, mm: Mm): KernelCode<boolean> {
  const { lazyUnmap } = cpu.kernel.protocol;
  return lazyUnmap !== undefined && (yield* lazyUnmap.canPostpone(cpu, mm));
}

/**
 * Leaves the flush of unmapped pages to the others, with the pages, where the protocol can. Null:
 * it cannot.
 */
export function* postponeUnmap(cpu: Cpu, unmap: PostponedUnmap): KernelCode<Cell<boolean> | null> {
  const { mm, range } = unmap;
  yield* needInterruptsOn("latr_postpone");
  if (!(yield* canPostponeUnmap(cpu, mm))) return null;
  yield* note({ kind: "flushBegin", mm, range });
  yield* note({ kind: "unmapPostponed", mm, range });
  const isDone = yield* call(cpu.kernel.protocol.lazyUnmap!.postpone(cpu, unmap));
  yield* note({ kind: "flushReturn", mm, range, remote: true });
  return isDone;
}

/** flush_tlb_kernel_range: see ShootdownProtocol.flushKernelRange. */
export function* flushKernelRange(cpu: Cpu, range: PageRange): KernelCode {
  yield* needInterruptsOn("flush_tlb_kernel_range");
  yield* note({ kind: "kernelFlushBegin", range });
  yield* call(cpu.kernel.protocol.flushKernelRange(cpu, range));
  yield* note({ kind: "kernelFlushReturn", range });
}

nameFunctions({
  flush_tlb_mm_range: flushRange,
  flush_tlb_range: flushTlbRange,
  canPostponeUnmap,
  postponeUnmap,
  flush_tlb_kernel_range: flushKernelRange,
});
