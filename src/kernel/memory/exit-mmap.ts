// mm/mmap.c, exit_mmap: the last real user is gone; leaves and middle tables go, root and struct
// stay.

import type { Cpu } from "../state/cpu.ts";
import { beginGather, finishGather, zapArea, zapTables } from "./mmu-gather.ts";
import { type Mm, WHOLE_USER_HALF } from "../state/mm.ts";
import type { KernelCode } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needNoUsers } from "../operation/precondition.ts";

/** exit_mmap. Nobody else can use the mm: no lock is needed. Lazy CPUs may still have it in CR3. */
export function* freeAddressSpace(cpu: Cpu, mm: Mm): KernelCode {
  yield* needNoUsers(mm, "exit_mmap");
  const gather = yield* beginGather(cpu, mm, true);
  for (const area of mm.areas.clear()) yield* zapArea(cpu, gather, area);
  yield* zapTables(gather, WHOLE_USER_HALF);
  yield* finishGather(cpu, gather);
}

nameFunctions({ exit_mmap: freeAddressSpace });
