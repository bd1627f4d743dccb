// What a recorded task does with its memory, done again. Where the recording starts too late to say
// what is mapped, a touched page is taken to be mapped with every right.

import {
  type PageNumber,
  pageNumber,
  pageOf,
  pageRange,
  type PageRange,
  virtualAddress,
} from "../../base/address.ts";
import { PRESENT } from "../../machine/page-table.ts";
import { userStream } from "../../machine/stream.ts";
import { madviseDontNeed, madviseFree } from "../../kernel/memory/madvise.ts";
import { mmap, munmap } from "../../kernel/memory/mmap.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import { mprotect } from "../../kernel/memory/mprotect.ts";
import { mremap } from "../../kernel/memory/mremap.ts";
import { type KernelCode, runUser } from "../../kernel/operation/operation.ts";
import { syscall } from "../../kernel/cpu/syscall.ts";
import type { Task } from "../../kernel/state/task.ts";
import type { BrkEvent, MmapEvent, MremapEvent, PageFaultEvent } from "../../trace/trace-event.ts";
import type { Action } from "./recording.ts";

type MemoryAction = Exclude<Action, { kind: "switch" | "fork" | "exec" | "exit" }>;

/** Pages that a task is taken to use again between two recorded actions. */
const RECENT_PAGES = 16;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const PRESENT_FAULT = 1;
const WRITE_FAULT = 2;
const FETCH_FAULT = 16;

export class MemoryActions {
  private readonly recent = new WeakMap<Mm, PageNumber[]>();
  private readonly breaks = new WeakMap<Mm, PageNumber>();

  /** User mode between two actions: the pages faulted in last, as far as they are still there. */
  *useRecentPages(task: Task): KernelCode {
    const { mm } = task;
    if (mm === null) return;
    const present = (this.recent.get(mm) ?? []).filter(
      (page) => (mm.tables.entryAt(page) & PRESENT) !== 0n,
    );
    if (present.length > 0) yield* runUser(userStream({ pages: present }));
  }

  *carryOut(task: Task, action: MemoryAction): KernelCode {
    const { mm } = task;
    if (mm === null || action.context !== "task") return;
    if (action.kind === "pageFault") return yield* this.fault(mm, action);
    if (action.errno !== undefined && action.errno !== 0) return;
    yield* syscall(task, this.call(task, mm, action));
  }

  private *call(task: Task, mm: Mm, action: Exclude<MemoryAction, PageFaultEvent>): KernelCode {
    const { cpu } = task;
    switch (action.kind) {
      case "mmap":
        return yield* this.mapRecorded(task, mm, action);
      case "munmap":
        return yield* munmap(cpu, mm, pagesOf(action.address, action.lengthBytes));
      case "mprotect": {
        const writable = (action.protection & PROT_WRITE) !== 0;
        const executable = (action.protection & PROT_EXEC) !== 0;
        const range = pagesOf(action.address, action.lengthBytes);
        return yield* mprotect(cpu, mm, range, { writable, executable });
      }
      case "madvise": {
        const range = pagesOf(action.address, action.lengthBytes);
        if (action.behaviour === "dontneed") yield* madviseDontNeed(cpu, mm, range);
        else if (action.behaviour === "free") yield* madviseFree(cpu, mm, range);
        return;
      }
      case "mremap":
        return yield* this.remap(task, mm, action);
      case "brk":
        return yield* this.setBreak(task, mm, action);
    }
  }

  private *mapRecorded(
    task: Task,
    mm: Mm,
    { result, lengthBytes, protection }: MmapEvent,
  ): KernelCode {
    if (result === undefined) return;
    const { start, end } = pagesOf(result, lengthBytes);
    const writable = (protection & PROT_WRITE) !== 0;
    const executable = (protection & PROT_EXEC) !== 0;
    yield* mmap(task.cpu, mm, { at: start, pageCount: end - start, writable, executable });
  }

  private *remap(task: Task, mm: Mm, action: MremapEvent): KernelCode {
    if (action.result === undefined) return;
    const from = pagesOf(action.address, action.oldLengthBytes);
    yield* mremap(task.cpu, mm, from, pagesOf(action.result, action.newLengthBytes));
  }

  private *setBreak(task: Task, mm: Mm, { result }: BrkEvent): KernelCode {
    if (result === undefined) return;
    const next = pageOf(virtualAddress(result + 0xfffn));
    const before = this.breaks.get(mm) ?? next;
    this.breaks.set(mm, next);
    if (next > before) yield* mmap(task.cpu, mm, { at: before, pageCount: next - before });
    else if (next < before) yield* munmap(task.cpu, mm, { start: next, end: before });
  }

  /** The access that faulted. If the page is there already, it is an access like any other. */
  private *fault(mm: Mm, { address, errorCode }: PageFaultEvent): KernelCode {
    const page = pageOf(address);
    if (!isUserPage(page)) return;
    const isWrite = (errorCode & WRITE_FAULT) !== 0;
    const isFetch = (errorCode & FETCH_FAULT) !== 0;
    let area = mm.areas.at(page);
    if (area === undefined) {
      area = { ...pageRange(page, 1), writable: true, executable: true };
      mm.areas.add(area);
    }
    if ((isWrite && !area.writable) || (isFetch && !area.executable)) return;
    const wasPresent = (errorCode & PRESENT_FAULT) !== 0;
    if (isWrite && wasPresent) yield* this.mapAround(mm, page);
    const kind = isWrite ? "write" : isFetch ? "execute" : "read";
    yield* runUser(userStream({ pages: [page], kind }));
    this.remember(mm, page);
  }

  /** A page that was there to read, though no fault told so: a file's, mapped around an earlier
   *  fault. A read maps it here as well, so that the write copies it and flushes as it did. */
  private *mapAround(mm: Mm, page: PageNumber): KernelCode {
    if ((mm.tables.entryAt(page) & PRESENT) !== 0n) return;
    yield* runUser(userStream({ pages: [page], kind: "read" }));
  }

  private remember(mm: Mm, page: PageNumber): void {
    const recent = this.recent.get(mm) ?? [];
    this.recent.set(mm, recent);
    if (recent.includes(page)) return;
    recent.push(page);
    if (recent.length > RECENT_PAGES) recent.shift();
  }
}

const USER_PAGES = 2 ** 35;
const isUserPage = (page: PageNumber): boolean => page < USER_PAGES;

function pagesOf(address: MmapEvent["address"], lengthBytes: number): PageRange {
  const start = pageOf(address);
  const end = Math.ceil((Number(address & 0xfffn) + lengthBytes) / 4096) + start;
  return { start, end: pageNumber(end) };
}
