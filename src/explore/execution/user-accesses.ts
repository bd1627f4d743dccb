// Accesses to emulated memory under exploration: what user mode and the kernel use through the TLB,
// and stores to page-table entries, which page walks see when they reach memory.

import {
  addressOfPage,
  type FrameNumber,
  hex,
  pageNumber,
  type PageNumber,
  type PageRange,
} from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import { Activation } from "../../kernel/operation/activation.ts";
import { deliverSignal } from "../../kernel/cpu/signal.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import { leafAt, withdraws } from "../../kernel/state/leaf-entry.ts";
import { handleFault } from "../../kernel/memory/page-fault.ts";
import type { Operation } from "../../kernel/operation/operation.ts";
import { DIRTY, PRESENT } from "../../machine/page-table.ts";
import type { Stream } from "../../machine/stream.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Execution } from "./execution.ts";
import type { BufferedEntry } from "./store-buffer.ts";
import { isKernelPage, type SpeculativeTlb } from "./possible-tlb.ts";

export function accessKernel(
  execution: Execution,
  state: CpuState,
  { page, write }: Extract<Operation, { kind: "kernelAccess" }>,
): void {
  const { kernel } = execution;
  const { mm } = state.cpu.current;
  readTranslations(execution, state, page, isKernelPage(page) || mm === null ? kernel.initMm : mm);
  state.tlb.using(page, execution.choices);
  const noteDirty = watchDirty(execution, isKernelPage(page) ? kernel.initMm : mm, page);
  const kind = write ? "write" : "read";
  const access = { address: addressOfPage(page), kind, user: false } as const;
  let result = kernel.machine.access(state.cpu.id, access);
  // The CPU's own stores to the tables come before a fault of its own.
  if (result.fault !== undefined && drainAll(execution, state)) {
    result = kernel.machine.access(state.cpu.id, access);
  }
  // What it held lacked rights, and is gone: hardware walks again.
  if (result.fault !== undefined) {
    state.tlb.invalidated(page, state.tlb.pcid);
    result = kernel.machine.access(state.cpu.id, access);
  }
  noteDirty();
  assert(result.fault === undefined, `the kernel touches only what it mapped (page ${hex(page)})`);
  if (!result.stale) return;
  execution.emit(state.cpu, { kind: "staleUse", page, root: state.tlb.root });
}

/** One access in user mode; the operation stays until all are done. */
export function runUser(
  execution: Execution,
  state: CpuState,
  top: Activation,
  stream: Stream,
): void {
  const { cpu } = state;
  if (cpu.current.signal !== null) return deliverSignal(cpu.current, top);
  const { machine } = execution.kernel;
  const page = pageNumber(stream.base + stream.position);
  readTranslations(execution, state, page, cpu.current.mm);
  state.tlb.using(page, execution.choices);
  const noteDirty = watchDirty(execution, cpu.current.mm, page);
  const later = stream.remaining - 1;
  stream.remaining = 1;
  let stop = machine.runStream(cpu.id, stream, Infinity);
  if (stop === "stale") {
    execution.emit(cpu, { kind: "staleUse", page, root: machine.root(cpu.id) });
    stop = machine.runStream(cpu.id, stream, Infinity);
  }
  stream.remaining += later;
  noteDirty();
  if (stop === "fault") {
    const { page: faulting, errorCode } = machine.fault(cpu.id);
    if (drainAll(execution, state)) return; // the access is made again, with what was stored
    const handler = handleFault(cpu, { page: faulting, errorCode });
    cpu.current.stack.push(new Activation(handler, "exception"));
  } else if (stream.remaining === 0) top.pending = null;
}

/** A store to a leaf entry reaches memory, where page walks see it. Returns the old entry. */
export function commitEntry(
  execution: Execution,
  cpu: Cpu,
  { mm, page, entry, size }: Omit<BufferedEntry, "cell" | "step">,
): bigint {
  execution.touched.write(execution.locations.ofEntry(mm.root, page));
  const leaf = leafAt(page, size);
  const isMapped = (mm.tables.entryAt(page) & PRESENT) !== 0n;
  const roots = isKernelPage(page) ? null : mm.roots;
  const pages = execution.pages.filter((one) => isIn(leaf, one));
  // What was taken away may come back as it was: whoever has cached it is up to date again.
  const comesBack = (): boolean =>
    execution.states.some(({ tlb }) => pages.some((one) => tlb.mayHoldOlder(roots, one)));
  if (execution.touched.isRecording && (isMapped || comesBack())) {
    execution.touched.write(execution.locations.ofMapping(mm.root, page));
  }
  if (isMapped) {
    for (const one of pages) {
      for (const { tlb } of execution.states) tlb.changing(roots, one, execution.choices);
    }
  }
  const old = mm.tables.setEntry(page, entry, size);
  if ((entry & PRESENT) !== 0n) {
    for (const { tlb } of execution.states) tlb.fill();
  }
  if (withdraws(old, entry)) execution.emit(cpu, { kind: "entryWithdrawn", mm, range: leaf });
  return old;
}

/**
 * What an access through the TLB goes by: tables, what is cached of them, and where that can be out
 * of date, whether it is.
 */
function readTranslations(
  execution: Execution,
  state: CpuState,
  page: PageNumber,
  mm: Mm | null,
): void {
  const { touched, locations } = execution;
  if (!touched.isRecording) return;
  readTables(execution, state.tlb.root);
  touched.read(state.tlbLocation);
  if (mm !== null && state.tlb.mayBeOld(page)) touched.read(locations.ofTranslations(mm));
}

/** Whether hardware has set the page's dirty bit is told when that is called: no walk minds. */
function watchDirty(execution: Execution, mm: Mm | null, page: PageNumber): () => void {
  const { touched, locations } = execution;
  if (mm === null || !touched.isRecording) return () => {};
  const isDirty = (): boolean => (mm.tables.entryAt(page) & DIRTY) !== 0n;
  const wasDirty = isDirty();
  return () => {
    if (wasDirty !== isDirty()) touched.write(locations.ofMapping(mm.root, page));
  };
}

/** What walks and scans from `root` may read. */
export function readTables(execution: Execution, root: FrameNumber): void {
  const { touched, locations } = execution;
  const read = (own: FrameNumber, page: PageNumber) => touched.read(locations.ofEntry(own, page));
  readRoot(execution, root, undefined, read);
}

/**
 * As readTables, of who fills a TLB from there, or asks what was there before. An entry that
 * appears where none was changes nothing for them: whoever has loaded the root fills it then.
 */
export function readMappings(execution: Execution, root: FrameNumber, range?: PageRange): void {
  const { touched, locations, kernel } = execution;
  // Whether a page is filled late is a choice of its own where accessed bits decide.
  if (kernel.protocol.traits.accessedBits === "decide") return readTables(execution, root);
  readRoot(execution, root, range, (own, page) => touched.read(locations.ofMapping(own, page)));
}

/** What is out of date of what a CPU holds, in any PCID, where it may be: it is to be forgotten. */
export function readCondemned(execution: Execution, tlb: SpeculativeTlb): void {
  const { touched, locations, pages, kernel } = execution;
  if (!touched.isRecording) return;
  for (const mm of kernel.liveMms) {
    if (!pages.some((page) => tlb.mayHoldOlder(mm.roots, page))) continue;
    touched.read(locations.ofTranslations(mm));
  }
}

function readRoot(
  execution: Execution,
  root: FrameNumber,
  range: PageRange | undefined,
  read: (own: FrameNumber, page: PageNumber) => void,
): void {
  const { touched, locations, pages, kernel } = execution;
  if (!touched.isRecording) return;
  const own = mainRoot(execution, root);
  touched.read(locations.ofTables(own));
  for (let index = 0; index < pages.length; index++) {
    const page = pages[index]!;
    if (range !== undefined && !isIn(range, page)) continue;
    read(isKernelPage(page) ? kernel.initMm.root : own, page);
  }
}

export const isIn = ({ start, end }: PageRange, page: PageNumber): boolean =>
  page >= start && page < end;

/** The root by which the tables below `root` are known: of two with the same user half, one. */
function mainRoot({ kernel }: Execution, root: FrameNumber): FrameNumber {
  if (!kernel.options.pti) return root;
  for (const mm of kernel.liveMms) if (mm.userRoot === root) return mm.root;
  return root === kernel.initMm.userRoot ? kernel.initMm.root : root;
}

/** An exception drains the store buffer. Whether there was something in it. */
function drainAll(execution: Execution, state: CpuState): boolean {
  const { isEmpty } = state.buffer;
  while (!state.buffer.isEmpty) execution.drain(state);
  return !isEmpty;
}
