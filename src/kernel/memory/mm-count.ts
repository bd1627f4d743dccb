// include/linux/sched/mm.h and kernel/fork.c: the two counters of an mm, and what happens at zero.

import { freeAddressSpace } from "./exit-mmap.ts";
import type { Cpu } from "../state/cpu.ts";
import { costs } from "../operation/costs.ts";
import type { Mm } from "../state/mm.ts";
import { type KernelCode, locked, note, work } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

/** mmget: one more real user. Caller has one already. */
export function* mmget(mm: Mm): KernelCode {
  yield* locked(mm.mmUsers, (users) => users + 1);
}

/** mmput: one real user less; the last one tears the address space down. */
export function* mmput(cpu: Cpu, mm: Mm): KernelCode {
  yield* mightSleep("mmput");
  const users = yield* locked(mm.mmUsers, (count) => count - 1);
  if (users < 1) yield* note({ kind: "droppedTwice", mm, counter: "mm_users" });
  if (users !== 1) return;
  // __mmput
  yield* freeAddressSpace(cpu, mm);
  yield* cpu.kernel.lazyPolicy.afterExitMmap(cpu, mm);
  yield* mmdrop(cpu, mm);
}

/** mmgrab: keeps the struct and the root, not the mappings. */
export function* mmgrab(mm: Mm): KernelCode {
  yield* locked(mm.mmCount, (count) => count + 1);
}

/** mmdrop: full barrier; the last reference frees root and struct. */
export function* mmdrop(cpu: Cpu, mm: Mm): KernelCode {
  const count = yield* locked(mm.mmCount, (old) => old - 1);
  yield* dropped(cpu, mm, count);
}

/** What follows a decrement of mm_count that found `count`. */
function* dropped(cpu: Cpu, mm: Mm, count: number): KernelCode {
  if (count < 1) yield* note({ kind: "droppedTwice", mm, counter: "mm_count" });
  if (count === 1) yield* freeMm(cpu, mm);
}

/** __mmdrop: mm_free_pgd, then the struct. */
function* freeMm(cpu: Cpu, mm: Mm): KernelCode {
  yield* cpu.kernel.lazyPolicy.beforeFree(cpu, mm);
  yield* note({ kind: "rootFreed", mm, root: mm.root });
  const { destroyContext } = cpu.kernel.protocol;
  if (destroyContext !== undefined) yield* destroyContext(cpu, mm);
  yield* work(costs.freeMm);
  yield* note({ kind: "mmFreed", mm });
  cpu.kernel.release(mm);
}

nameFunctions({ mmget, mmput, mmgrab, mmdrop: [mmdrop, dropped], __mmdrop: freeMm });
