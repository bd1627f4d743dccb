// mprotect: the rights of present entries change. Up to Linux 5.19 each area is flushed whole;
// since 6.0 what needs it of all areas is flushed once, and areas of large pages as before.

import type { PageNumber, PageRange } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { leafEntry, needsFlush, notedIn } from "../state/leaf-entry.ts";
import { frameOfEntry } from "../../machine/page-table.ts";
import { lockAreas, lockForChange, unlockAreas } from "../locking/area-lock.ts";
import { type Area, isSmall } from "../state/area.ts";
import { changeAreas } from "../operation/guarded-operation.ts";
import { batchedCall } from "../cpu/batched-call.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { flushTlbRange } from "./flush.ts";
import { endUnflushed } from "./flush-pending.ts";
import { beginGather, finishGather, type MmuGather } from "./mmu-gather.ts";
import type { Mm } from "../state/mm.ts";
import {
  exchangeEntry,
  type KernelCode,
  note,
  work,
  workTimes,
  writeEntry,
} from "../operation/operation.ts";
import { underEachLock } from "../locking/page-table-lock.ts";
import { presentPages } from "../operation/table-operation.ts";
import { flushBatchedPending } from "./unmap-batch.ts";
import { nameFunctions } from "../operation/origin.ts";

export interface Rights {
  readonly writable: boolean;
  readonly executable: boolean;
}

/** do_mprotect: change_protection over the areas of the range. */
export function* mprotect(cpu: Cpu, mm: Mm, range: PageRange, rights: Rights): KernelCode {
  yield* batchedCall(cpu, changeRights(cpu, mm, range, rights));
}

function* changeRights(cpu: Cpu, mm: Mm, range: PageRange, rights: Rights): KernelCode {
  yield* lockAreas(mm);
  yield* work(costs.protectArea);
  yield* note({ kind: "revoking", mm, range });
  yield* lockForChange(mm, mm.areas.within(range));
  yield* lockForChange(mm, mm.areas.joining({ ...range, ...rights }));
  const areas = yield* changeAreas(mm, (list) => list.protect(range, rights));
  const gather = yield* beginGather(cpu, mm);
  // mprotect_fixup: an area that has these rights stays as it is.
  for (const area of areas.filter((one) => differs(one, rights))) {
    yield* flushChanges(cpu, gather, area, yield* changeEntries(cpu, mm, area, rights));
  }
  // Up to 5.19 the change is counted for others and asks for none: inc_ and dec_tlb_flush_pending.
  if (cpu.kernel.protocol.traits.mprotect === "gathers") yield* finishGather(cpu, gather);
  else yield* endUnflushed(cpu, mm);
  yield* note({ kind: "revoked", mm, range });
  yield* unlockAreas(mm);
}

const differs = (area: Area, { writable, executable }: Rights): boolean =>
  area.writable !== writable || area.executable !== executable;

/** An entry that had other rights. */
interface Change {
  readonly page: PageNumber;
  readonly old: bigint;
  readonly now: bigint;
}

/** change_pte_range, hugetlb_change_protection: the area's present entries get the rights. */
function* changeEntries(cpu: Cpu, mm: Mm, area: Area, rights: Rights): KernelCode<Change[]> {
  const { pageSize = "4K" } = area;
  const changes: Change[] = [];
  yield* underEachLock(mm, area, pageSize, function* (part) {
    yield* flushBatchedPending(cpu, mm);
    const pages = yield* presentPages(mm, part);
    for (const page of pages) {
      const old = yield* exchangeEntry(mm, page, 0n, pageSize); // ptep_modify_prot_start
      const now = withRights(cpu, old, rights, pageSize);
      yield* writeEntry(mm, page, now, pageSize);
      changes.push({ page, old, now });
    }
    yield* workTimes(costs.protectPage, pages.length);
  });
  return changes;
}

/** change_protection: flushes what has changed of an area, or leaves it to the gather. */
function* flushChanges(
  cpu: Cpu,
  gather: MmuGather,
  area: Area,
  changes: readonly Change[],
): KernelCode {
  const { start, end, pageSize = "4K" } = area;
  if (isSmall(area) && cpu.kernel.protocol.traits.mprotect === "gathers") {
    for (const { page, old, now } of changes) {
      if (needsFlush(old, now)) gather.change(old, page, pageSize);
    }
    return;
  }
  // All of the area: of large pages whatever was there.
  if (isSmall(area) && changes.length === 0) return;
  const taken = changes.map(({ old }) => old);
  yield* flushTlbRange(cpu, { mm: gather.mm, range: { start, end }, taken, pageSize });
}

/** pte_modify: other rights, what hardware and protocol have noted stays. */
function withRights(cpu: Cpu, old: bigint, rights: Rights, size: PageSize): bigint {
  const writable = rights.writable && isMadeWritable(cpu, old, size);
  return leafEntry(frameOfEntry(old), { ...rights, writable }, size) | notedIn(old);
}

/**
 * Private pages become read-only, and the next write asks whose they are. Since Linux 6.0 one that
 * has no other user is made writable at once (can_change_pte_writable), if it is not a large page.
 */
function isMadeWritable({ kernel }: Cpu, old: bigint, size: PageSize): boolean {
  if (size !== "4K" || kernel.protocol.traits.mprotect !== "gathers") return false;
  return kernel.frames.mapCount(frameOfEntry(old)) === 1;
}

nameFunctions({
  do_mprotect_pkey: mprotect,
  changeRights,
  change_pte_range: changeEntries,
  change_protection: flushChanges,
});
