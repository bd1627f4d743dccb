// ABIS (N. Amit, "Optimizing the TLB Shootdown Algorithm with Page Access Tracking", USENIX ATC
// 2017) on linux-4.8: a flush is for those alone who may have cached the entries that were taken
// away, as far as the entries tell.
//
//   accessed bit set              anybody in mm_cpumask
//   clear, a CPU recorded         that CPU
//   clear, none recorded          nobody: a CPU sets the bit before it caches (SDM 3A 4.10.2.3)
//
// The CPU that faults a page in fills its TLB from a root of its own, so that the bit in the shared
// entry stays clear until somebody walks there: another CPU, or the same after an eviction. Left
// out: what the paper saves of whole flushes by counting them (epochs).

import { LINUX_4_8_TRAITS } from "../state/protocol-traits.ts";
import { pageNumber } from "../../base/address.ts";
import { ACCESSED, DIRTY, WRITABLE } from "../../machine/page-table.ts";
import { SinglePath } from "../../machine/single-path.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { BY_ANYBODY, recordOf, withRecord } from "../state/leaf-entry.ts";
import { linkPath, unlinkPath } from "../operation/entry-operation.ts";
import { type Mm, WHOLE_USER_HALF } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import {
  disableInterrupts,
  enableInterrupts,
  invlpg,
  type KernelCode,
  kernelAccess,
  load,
  note,
  workTimes,
  writeCr3,
  writeEntry,
} from "../operation/operation.ts";
import {
  addHolders,
  flushBatch,
  flushHolders,
  type Holders,
  linux48,
  onlyPcid,
} from "./linux-4.8.ts";
import {
  type FlushRequest,
  type NewLeaf,
  type ShootdownProtocol,
} from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

/** Below the top of the user half is a page that nobody can map. */
const GUARD_PAGE = pageNumber(WHOLE_USER_HALF.end - 1);

type Taken = Pick<FlushRequest, "freedTables" | "taken">;

/** Who may hold what a flush is about. Whoever has run the mm may have cached its tables. */
function holdersOf(cpu: Cpu, { freedTables, taken }: Taken): Holders {
  if (freedTables || taken === undefined) return null;
  const holders = new Set<number>();
  for (const entry of taken) {
    const record = recordOf(entry);
    const isPrivate = record !== 0 && record !== BY_ANYBODY;
    const isAccessed = (entry & ACCESSED) !== 0n && !(isPrivate && trustsRecord(cpu));
    if (isAccessed || record === BY_ANYBODY) return null;
    if (isPrivate && !isMutated(cpu, "abis-clear-is-uncached")) holders.add(record - 1);
  }
  return holders;
}

const trustsRecord = (cpu: Cpu): boolean => isMutated(cpu, "abis-record-outlives-access");

/** flush_tlb_mm_range */
function* flushRange(cpu: Cpu, request: FlushRequest): KernelCode<boolean> {
  const holders = holdersOf(cpu, request);
  if (holders?.size === 0) {
    yield* note({ kind: "flushed", mm: request.mm, how: "skipped", local: true });
    return false;
  }
  return yield* flushHolders(cpu, request, holders);
}

/**
 * set_pte, then the translation goes into this CPU's TLB, and the entry says so. An mm of one user
 * has nobody to spare.
 */
function* installLeaf(cpu: Cpu, { mm, page, entry, size }: NewLeaf): KernelCode {
  if ((yield* load(mm.mmUsers)) === 1) return yield* writeEntry(mm, page, entry, size);
  // Through a cached translation that has D, hardware sets none in memory.
  const leaf = (entry & WRITABLE) === 0n ? entry : entry | DIRTY;
  yield* writeEntry(mm, page, withRecord(leaf, cpu.id + 1), size);
  yield* insertTranslation(cpu, { mm, page, entry: leaf | ACCESSED, size });
}

/**
 * Fills this CPU's TLB past the shared tables. Page-table lock held, which keeps the entry.
 *
 * Paging-structure caches know a PCID, not a root. What they knew of the page went with the fault
 * (SDM 3A 4.10.4.1); should speculation have brought it back, this walk takes the shared path and
 * sets the bit there: then the page is anybody's. What they learn here has to go before the tables
 * map another page: an INVLPG, which of translations drops its own page's alone.
 */
function* insertTranslation(cpu: Cpu, { mm, page, entry, size }: NewLeaf): KernelCode {
  const path = yield* pathOf(cpu, mm);
  const pcid = onlyPcid(cpu);
  yield* disableInterrupts();
  yield* linkPath(path, page, entry, size);
  yield* writeCr3(path.root, pcid, true);
  yield* kernelAccess(page, "read");
  yield* writeCr3(mm.root, pcid, true);
  yield* invlpg(GUARD_PAGE);
  yield* unlinkPath(path, page, size);
  yield* enableInterrupts();
}

/** This CPU's own root of the mm, which it gets when it first needs one. */
function* pathOf(cpu: Cpu, mm: Mm): KernelCode<SinglePath> {
  const known = mm.privatePaths[cpu.id];
  if (known !== undefined) return known;
  const { machine, frames } = cpu.kernel;
  const path = new SinglePath(machine, () => frames.allocate());
  mm.privatePaths[cpu.id] = path;
  yield* workTimes(costs.allocatePage, machine.levels);
  yield* workTimes(costs.clearPage, machine.levels);
  return path;
}

/** The tables of the CPUs' own roots; the roots go with the mm. */
function* destroyContext(cpu: Cpu, mm: Mm): KernelCode {
  for (const path of mm.privatePaths) {
    for (const table of path?.tables ?? []) {
      yield* note({ kind: "tableFreed", mm, table });
      cpu.kernel.releaseTable(table);
    }
  }
}

export const abis: ShootdownProtocol = {
  ...linux48,
  name: "abis",
  summary: "linux-4.8, and accessed bits say which CPUs a flush is for",
  source:
    "Amit: Optimizing the TLB Shootdown Algorithm with Page Access Tracking, ATC 2017 (Linux 4.5)",
  flushRange,
  batchedUnmap: {
    add: (cpu, batch, { mm, taken }) =>
      addHolders(batch, mm, holdersOf(cpu, { freedTables: false, taken: [taken] })),
    flush: flushBatch,
  },
  installLeaf,
  destroyContext,
  traits: { ...LINUX_4_8_TRAITS, pcid: "required", accessedBits: "decide" },
};

nameFunctions({
  flush_tlb_mm_range: flushRange,
  set_pte_at: installLeaf,
  insertTranslation,
  pathOf,
  destroyContext,
});
