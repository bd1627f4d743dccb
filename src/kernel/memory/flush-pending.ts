// mm_types.h: an mm counts the changes of entries that have begun and are not flushed yet. Whoever
// finds an entry gone, or changed already, has nothing of its own to flush, and may still not rely
// on it: the flush that belongs to the change can be under way.

import { count, type KernelCode, load } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import type { Cpu } from "../state/cpu.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";

const isCounted = ({ kernel }: Cpu): boolean => kernel.protocol.traits.gathers === "counted";

/** inc_tlb_flush_pending: before the page-table lock of the first entry. */
export function* beginUnflushed(cpu: Cpu, { tlbFlushPending }: Mm): KernelCode {
  if (isCounted(cpu)) yield* count(tlbFlushPending, (unflushed) => unflushed + 1);
}

/** mm_tlb_flush_nested: another change is under way. Caller has begun one of its own. */
export function* hasOtherUnflushed(cpu: Cpu, { tlbFlushPending }: Mm): KernelCode<boolean> {
  if (!isCounted(cpu)) return false;
  return (yield* load(tlbFlushPending)) > 1 && !isMutated(cpu, "nested-gather-not-noticed");
}

/** dec_tlb_flush_pending: what the caller has changed is flushed. */
export function* endUnflushed(cpu: Cpu, { tlbFlushPending }: Mm): KernelCode {
  if (isCounted(cpu)) yield* count(tlbFlushPending, (unflushed) => unflushed - 1);
}

nameFunctions({
  inc_tlb_flush_pending: beginUnflushed,
  mm_tlb_flush_nested: hasOtherUnflushed,
  dec_tlb_flush_pending: endUnflushed,
});
