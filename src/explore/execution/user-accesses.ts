// Accesses to emulated memory under exploration: what user mode and the kernel use through the TLB,
// and stores to page-table entries, which page walks see when they reach memory.

import { addressOfPage, type FrameNumber, hex, pageNumber } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import { Activation } from "../../kernel/operation/activation.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import { leafAt, withdraws } from "../../kernel/state/leaf-entry.ts";
import { handleFault } from "../../kernel/memory/page-fault.ts";
import type { Operation } from "../../kernel/operation/operation.ts";
import { PRESENT } from "../../machine/page-table.ts";
import type { Stream } from "../../machine/stream.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Executor } from "./executor.ts";
import { useOf } from "./noticed.ts";
import type { BufferedEntry } from "./store-buffer.ts";
import { isKernelPage } from "./possible-tlb.ts";

export function accessKernel(
  executor: Executor,
  state: CpuState,
  { page, write }: Extract<Operation, { kind: "kernelAccess" }>,
): void {
  const { touched, kernel } = executor;
  readTables(executor, state.tlb.root);
  touched.read(state.tlbLocation);
  const { mm } = state.cpu.current;
  touched.read(useOf(executor, isKernelPage(page) || mm === null ? kernel.initMm : mm));
  state.tlb.using(page, executor.choices);
  const kind = write ? "write" : "read";
  const access = { address: addressOfPage(page), kind, user: false } as const;
  let result = kernel.machine.access(state.cpu.id, access);
  // The CPU's own stores to the tables come before a fault of its own.
  if (result.fault !== undefined && drainAll(executor, state)) {
    result = kernel.machine.access(state.cpu.id, access);
  }
  // What it held lacked rights, and is gone: hardware walks again.
  if (result.fault !== undefined) {
    state.tlb.invalidated(page);
    result = kernel.machine.access(state.cpu.id, access);
  }
  assert(result.fault === undefined, `the kernel touches only what it mapped (page ${hex(page)})`);
  if (!result.stale) return;
  executor.emit(state.cpu, { kind: "staleUse", page, root: state.tlb.root });
}

/** One access in user mode; the operation stays until all are done. */
export function runUser(
  executor: Executor,
  state: CpuState,
  top: Activation,
  stream: Stream,
): void {
  const { cpu } = state;
  const { machine } = executor.kernel;
  const { mm } = cpu.current;
  readTables(executor, state.tlb.root);
  executor.touched.read(state.tlbLocation);
  if (mm !== null) executor.touched.read(useOf(executor, mm));
  const page = pageNumber(stream.base + stream.position);
  state.tlb.using(page, executor.choices);
  const later = stream.remaining - 1;
  stream.remaining = 1;
  let stop = machine.runStream(cpu.id, stream, Infinity);
  if (stop === "stale") {
    executor.emit(cpu, { kind: "staleUse", page, root: machine.root(cpu.id) });
    stop = machine.runStream(cpu.id, stream, Infinity);
  }
  stream.remaining += later;
  if (stop === "fault") {
    const { page: faulting, errorCode } = machine.fault(cpu.id);
    if (drainAll(executor, state)) return; // the access is made again, with what was stored
    const handler = handleFault(cpu, { page: faulting, errorCode });
    cpu.current.stack.push(new Activation(handler, "exception"));
  } else if (stream.remaining === 0) top.pending = null;
}

/** A store to a leaf entry reaches memory, where page walks see it. Returns the old entry. */
export function commitEntry(
  executor: Executor,
  cpu: Cpu,
  { mm, page, entry, size }: Omit<BufferedEntry, "cell" | "step">,
): bigint {
  executor.touched.write(executor.locations.ofEntry(mm.root, page));
  const leaf = leafAt(page, size);
  const isMapped = (mm.tables.entryAt(page) & PRESENT) !== 0n;
  if (isMapped) {
    const roots = isKernelPage(page) ? null : mm.roots;
    for (const one of executor.pages) {
      if (one < leaf.start || one >= leaf.end) continue;
      for (const { tlb } of executor.states) tlb.changing(roots, one, executor.choices);
    }
  }
  const old = mm.tables.setEntry(page, entry, size);
  if ((entry & PRESENT) !== 0n) {
    for (const { tlb } of executor.states) tlb.fill();
  }
  if (withdraws(old, entry)) executor.emit(cpu, { kind: "entryWithdrawn", mm, range: leaf });
  return old;
}

/** What walks and scans from `root` may read. */
export function readTables(executor: Executor, root: FrameNumber): void {
  const { touched, locations, pages, kernel } = executor;
  const own = mainRoot(executor, root);
  touched.read(locations.ofTables(own));
  for (let index = 0; index < pages.length; index++) {
    const page = pages[index]!;
    touched.read(locations.ofEntry(isKernelPage(page) ? kernel.initMm.root : own, page));
  }
}

/** The root by which the tables below `root` are known: of two with the same user half, one. */
function mainRoot({ kernel }: Executor, root: FrameNumber): FrameNumber {
  if (!kernel.options.pti) return root;
  for (const mm of kernel.liveMms) if (mm.userRoot === root) return mm.root;
  return root === kernel.initMm.userRoot ? kernel.initMm.root : root;
}

/** An exception drains the store buffer. Whether there was something in it. */
function drainAll(executor: Executor, state: CpuState): boolean {
  const { isEmpty } = state.buffer;
  while (!state.buffer.isEmpty) executor.drain(state);
  return !isEmpty;
}
