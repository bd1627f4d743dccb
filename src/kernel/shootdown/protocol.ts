// What a shootdown protocol is: how this CPU goes to another address space, how it becomes lazy,
// and how everybody is brought to forget translations. One file per protocol.

import type { PageRange } from "../../base/address.ts";
import type { Cpu } from "../cpu.ts";
import type { Mm } from "../mm.ts";
import type { Kernel } from "../operation.ts";

/** What a flush covers, in 4 KiB pages. */
export interface FlushRequest {
  readonly mm: Mm;
  readonly range: PageRange;
  /** Page tables of the range were unlinked and will be freed: lazy CPUs must hear of it too. */
  readonly freedTables: boolean;
}

export interface ShootdownProtocol {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly source: string;
  /** Whether it broadcasts flushes where the kernel is told to. */
  readonly usesInvlpgb?: boolean;
  /** switch_mm_irqs_off: CR3 and this CPU's bookkeeping go to `next`. Interrupts off. */
  switchMm(cpu: Cpu, next: Mm): Kernel;
  /** enter_lazy_tlb: CR3 stays, no user memory is used. Interrupts off. */
  enterLazy(cpu: Cpu): Kernel;
  /** flush_tlb_mm_range: on return no CPU uses a translation of the range older than the call.
   *  Interrupts on; the caller holds mmap_lock, or is the last user. Returns whether another CPU
   *  was in mm_cpumask. Kernel code asks for it through flush.ts. */
  flushRange(cpu: Cpu, request: FlushRequest): Kernel<boolean>;
}

/** The whole user half of an address space: TLB_FLUSH_ALL. */
export const WHOLE_USER_HALF = { start: 0, end: 2 ** 35 } as PageRange;
