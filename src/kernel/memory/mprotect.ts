// mprotect: the rights of present entries change, then the range is flushed once.

import type { PageRange } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { leafAt, leafEntry, notedIn } from "../state/leaf-entry.ts";
import { frameOfEntry, smallerPage } from "../../machine/page-table.ts";
import { lockAreas, lockForChange, unlockAreas } from "../locking/area-lock.ts";
import { changeAreas } from "../operation/area-operation.ts";
import { batchedCall } from "../cpu/batched-call.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { flushRange } from "./flush.ts";
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
  let flushed = null as PageRange | null;
  const taken: bigint[] = [];
  let pageSize: PageSize = "1G";
  yield* lockForChange(mm, mm.areas.within(range));
  yield* lockForChange(mm, mm.areas.joining({ ...range, ...rights }));
  const changed = yield* changeAreas(mm, (areas) => areas.protect(range, rights));
  for (const area of changed) {
    const { pageSize: size = "4K" } = area;
    yield* underEachLock(mm, area, size, function* (part) {
      yield* flushBatchedPending(cpu, mm);
      const pages = yield* presentPages(mm, part);
      for (const page of pages) {
        const old = yield* exchangeEntry(mm, page, 0n, size); // ptep_modify_prot_start
        yield* writeEntry(mm, page, withRights(cpu, old, rights, size), size);
        taken.push(old);
        flushed = { start: flushed?.start ?? page, end: leafAt(page, size).end };
        pageSize = smallerPage(pageSize, size);
      }
      yield* workTimes(costs.protectPage, pages.length);
    });
  }
  if (flushed !== null) {
    yield* flushRange(cpu, { mm, range: flushed, freedTables: false, taken, pageSize });
  }
  yield* note({ kind: "revoked", mm, range });
  yield* unlockAreas(mm);
}

/** pte_modify: other rights, what hardware and protocol have noted stays. */
function withRights(cpu: Cpu, old: bigint, rights: Rights, size: PageSize): bigint {
  const frame = frameOfEntry(old);
  // A shared frame stays read-only: the next write copies it.
  const writable = rights.writable && cpu.kernel.frames.mapCount(frame) === 1;
  return leafEntry(frame, { ...rights, writable }, size) | notedIn(old);
}

nameFunctions({ do_mprotect_pkey: mprotect, changeRights });
