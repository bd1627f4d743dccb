// mprotect: the rights of present entries change, then they are flushed; areas of large pages each
// on their own.

import { pageAfter, type PageNumber, type PageRange } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { leafEntry, notedIn } from "../state/leaf-entry.ts";
import { frameOfEntry } from "../../machine/page-table.ts";
import { lockAreas, lockForChange, unlockAreas } from "../locking/area-lock.ts";
import { type Area, isSmall } from "../state/area.ts";
import { changeAreas } from "../operation/area-operation.ts";
import { batchedCall } from "../cpu/batched-call.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { flushRange, flushTlbRange } from "./flush.ts";
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
  const small: Change[] = [];
  for (const area of areas) {
    const changes = yield* changeEntries(cpu, mm, area, rights);
    if (isSmall(area)) small.push(...changes);
    else yield* flushArea(cpu, mm, area, changes);
  }
  if (small.length > 0) yield* flushChanges(cpu, mm, small);
  yield* note({ kind: "revoked", mm, range });
  yield* unlockAreas(mm);
}

/** An entry that had other rights. */
interface Change {
  readonly page: PageNumber;
  readonly old: bigint;
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
      yield* writeEntry(mm, page, withRights(cpu, old, rights, pageSize), pageSize);
      changes.push({ page, old });
    }
    yield* workTimes(costs.protectPage, pages.length);
  });
  return changes;
}

/** From the first to the last page. */
function* flushChanges(cpu: Cpu, mm: Mm, changes: readonly Change[]): KernelCode {
  const range = { start: changes[0]!.page, end: pageAfter(changes.at(-1)!.page, 1) };
  const taken = changes.map(({ old }) => old);
  yield* flushRange(cpu, { mm, range, freedTables: false, taken });
}

/** The end of hugetlb_change_protection: all of the area, whatever was there. */
function* flushArea(cpu: Cpu, mm: Mm, area: Area, changes: readonly Change[]): KernelCode {
  const { start, end, pageSize = "4K" } = area;
  const taken = changes.map(({ old }) => old);
  yield* flushTlbRange(cpu, { mm, range: { start, end }, taken, pageSize });
}

/** pte_modify: other rights, what hardware and protocol have noted stays. */
function withRights(cpu: Cpu, old: bigint, rights: Rights, size: PageSize): bigint {
  const frame = frameOfEntry(old);
  // A shared frame stays read-only: the next write copies it.
  const writable = rights.writable && cpu.kernel.frames.mapCount(frame) === 1;
  return leafEntry(frame, { ...rights, writable }, size) | notedIn(old);
}

nameFunctions({
  do_mprotect_pkey: mprotect,
  changeRights,
  change_pte_range: changeEntries,
  flushChanges,
  flushArea,
});
