// What each operation does under exploration, when it can be carried out, and which operations are
// steps of their own. Cycles do not exist here; neither do cache lines.

import {
  addressOfPage,
  type FrameNumber,
  hex,
  type PageNumber,
  pageNumber,
} from "../base/address.ts";
import { assert } from "../base/assert.ts";
import { Activation } from "../kernel/activation.ts";
import type { Cell } from "../kernel/cell.ts";
import { handleFault } from "../kernel/fault.ts";
import { Mm } from "../kernel/mm.ts";
import type { Operation } from "../kernel/operation.ts";
import { PRESENT } from "../machine/page-table.ts";
import type { Stream } from "../machine/stream.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Executor } from "./executor.ts";
import { useOf } from "./noticed.ts";
import { isKernelPage } from "./tlb.ts";
import { preemptVcpu } from "./vcpu.ts";
import type { Footprint } from "./system.ts";

/** Operations before which the store buffer drains: SDM 3A 8.2.2, and 8.3 for CR3 and INVLPG. */
const DRAINING: ReadonlySet<Operation["kind"]> = new Set([
  "locked",
  "fence",
  "exchangeEntry",
  "detachTables",
  "writeCr3",
  "writeCr4",
  "invlpg",
  "invpcid",
  "sendIpi", // weak_wrmsr_fence: MFENCE and LFENCE before the write of an x2APIC register
]);

type Condition = (value: unknown) => boolean;

/** Whether the CPU's next operation can be carried out now. */
export function isReady({ top, buffer }: CpuState): boolean {
  const operation = top.pending!;
  switch (operation.kind) {
    case "wait":
    case "queue":
    case "park":
    case "idle":
      return operation.until(buffer.valueOf(operation.cell) as never);
  }
  return buffer.isEmpty || !DRAINING.has(operation.kind);
}

/** What the CPU's next operation would touch, a wait for what has not come. */
export function footprintOfWait({ locations }: Executor, state: CpuState): Footprint {
  const operation = state.top.pending as Extract<Operation, { kind: "wait" }>;
  return {
    reads: [locations.ofCell(operation.cell)],
    writes: state.interruptsOn ? [state.controlLocation] : [],
    follows: state.interruptsOn ? [] : [state.controlLocation],
    condition: operation.until as Condition,
    overwritten: [],
  };
}

/** Whether the operation is a step of its own: others could tell when it happens. */
export function isVisible(executor: Executor, state: CpuState, operation: Operation): boolean {
  switch (operation.kind) {
    case "work":
    case "workUntil":
    case "endOfInterrupt":
    case "call":
    case "switchTo":
    case "note":
      return false;
    case "interruptFlag":
      return state.interruptsOn && !operation.enabled;
    case "fence":
      return executor.memory === "tso";
    case "load":
    case "store":
      return state.interruptsOn || !isPrivate(executor, operation.cell);
    case "locked":
      // A barrier too: what waits in the store buffer comes first.
      return (
        executor.memory === "tso" || state.interruptsOn || !isPrivate(executor, operation.cell)
      );
  }
  return true;
}

/** Whether only this kernel stack touches the cell, as far as is known: see exploreScenario. */
const isPrivate = ({ locations }: Executor, cell: Cell): boolean =>
  !locations.isShared(locations.ofCell(cell));

/** Carries out `operation`, which the code `top` has yielded. */
export function perform(
  executor: Executor,
  state: CpuState,
  top: Activation,
  operation: Operation,
): void {
  const { cpu, buffer } = state;
  const { touched, locations, kernel } = executor;
  switch (operation.kind) {
    case "work":
    case "workUntil":
    case "endOfInterrupt":
    case "fence":
      touched.follow(state.bufferLocation);
      return;
    case "wait":
    case "queue":
    case "park":
    case "idle":
      use(executor, state, operation.cell);
      touched.readIf(locations.ofCell(operation.cell), operation.until as Condition);
      top.result = buffer.valueOf(operation.cell);
      return;
    case "load":
      use(executor, state, operation.cell);
      touched.read(locations.ofCell(operation.cell));
      top.result = buffer.valueOf(operation.cell);
      return;
    case "store":
      return store(executor, state, operation.cell, operation.value);
    case "locked":
      use(executor, state, operation.cell);
      touched.follow(state.bufferLocation);
      touched.write(locations.ofCell(operation.cell), operation.cell.value);
      top.result = operation.cell.value;
      executor.commit(operation.cell, operation.update(operation.cell.value as never));
      return;
    case "writeCr3": {
      const { root, pcid, keep } = operation;
      touched.follow(state.bufferLocation);
      touched.write(state.tlbLocation);
      readTables(executor, root);
      kernel.machine.writeCr3(cpu.id, { root, pcid, keep });
      state.tlb.loaded(root, pcid, keep);
      return executor.emit(cpu, { kind: "cr3Written", root, pcid, keep });
    }
    case "invlpg":
      touched.follow(state.bufferLocation);
      touched.write(state.tlbLocation);
      readTables(executor, state.tlb.root);
      kernel.machine.invlpg(cpu.id, operation.page);
      state.tlb.invalidated(operation.page);
      return;
    case "writeCr4": {
      const { pcid } = kernel.options;
      touched.follow(state.bufferLocation);
      touched.write(state.tlbLocation);
      readTables(executor, state.tlb.root);
      kernel.machine.writeCr4(cpu.id, { globalPages: operation.globalPages, pcid });
      return state.tlb.emptied(null); // a change of CR4.PGE
    }
    case "invpcid":
      return invalidatePcid(executor, state, operation);
    case "kernelAccess":
      return accessKernel(executor, state, operation);
    case "sendIpi":
      touched.follow(state.bufferLocation);
      for (const target of operation.targets) {
        touched.write(executor.states[target]!.pendingLocation);
        executor.states[target]!.post(operation.vector);
        executor.emit(cpu, { kind: "ipiSent", target, vector: operation.vector });
      }
      return;
    case "interruptFlag":
      state.interruptsOn = operation.enabled;
      return;
    case "readEntry":
      touched.read(locations.ofEntry(operation.mm.root, operation.page));
      top.result =
        buffer.entryOf(operation.mm, operation.page) ?? operation.mm.tables.entryAt(operation.page);
      return;
    case "writeEntry": {
      const { mm, page, entry } = operation;
      if (executor.memory === "sc") commitEntry(executor, mm, page, entry);
      else buffer.add({ cell: null, mm, page, entry, step: executor.steps });
      return;
    }
    case "exchangeEntry":
      touched.follow(state.bufferLocation);
      top.result = commitEntry(executor, operation.mm, operation.page, operation.entry);
      return;
    case "presentPages":
      readTables(executor, operation.mm.root);
      top.result = operation.mm.tables.presentPages(operation.range);
      return;
    case "detachTables": {
      const { areas, tables } = operation.mm;
      touched.follow(state.bufferLocation);
      touched.write(locations.ofTables(operation.mm.root));
      top.result = tables.detach(operation.range, (range) => !areas.overlaps(range));
      return;
    }
    case "runUser":
      return runUser(executor, state, top, operation.stream);
    case "call":
      cpu.current.stack.push(new Activation(operation.code, "call"));
      return;
    case "switchTo":
      return executor.switchTask(state, operation.next);
    case "preemptVcpu":
      return preemptVcpu(executor, executor.states[operation.cpu.id]!);
    case "resumeVcpu":
      return; // the host may let it run at any time
    case "note":
      return executor.emit(cpu, operation.notice);
    default:
      operation satisfies never;
  }
}

function invalidatePcid(
  executor: Executor,
  state: CpuState,
  { type, pcid, page }: Extract<Operation, { kind: "invpcid" }>,
): void {
  const { touched, kernel } = executor;
  touched.follow(state.bufferLocation);
  touched.write(state.tlbLocation);
  readTables(executor, state.tlb.root);
  const descriptor = { pcid: BigInt(pcid), address: addressOfPage(page) };
  const fault = kernel.machine.invpcid(state.cpu.id, BigInt(type), descriptor);
  assert(fault === undefined, "INVPCID names a PCID only while CR4.PCIDE is set");
  if (type === 0) state.tlb.invalidated(page, pcid);
  else state.tlb.emptied(type === 1 ? pcid : null);
}

function accessKernel(
  executor: Executor,
  state: CpuState,
  { page, write }: Extract<Operation, { kind: "kernelAccess" }>,
): void {
  const { touched, kernel } = executor;
  readTables(executor, state.tlb.root);
  touched.read(state.tlbLocation);
  touched.read(useOf(executor, kernel.initMm));
  state.tlb.using(page, executor.choices);
  const access = { address: addressOfPage(page), kind: write ? "write" : "read" } as const;
  const result = kernel.machine.access(state.cpu.id, { ...access, user: false });
  assert(result.fault === undefined, `the kernel touches only what it mapped (page ${hex(page)})`);
  if (!result.stale) return;
  executor.emit(state.cpu, { kind: "staleUse", page, root: state.tlb.root });
}

function store(executor: Executor, state: CpuState, cell: Cell, value: unknown): void {
  use(executor, state, cell);
  const location = executor.locations.ofCell(cell);
  if (executor.memory === "tso" && executor.locations.isShared(location)) {
    state.buffer.add({ cell, value, step: executor.steps });
    return;
  }
  executor.touched.write(location, cell.value);
  executor.commit(cell, value);
}

/** A pointer to what has been freed is followed. */
function use(executor: Executor, { cpu }: CpuState, { name, owner }: Cell): void {
  if (owner === null || !owner.freed) return;
  const mm = owner instanceof Mm ? owner : null;
  executor.emit(cpu, { kind: "useAfterFree", owner: owner.name, cell: name, mm });
}

/** What walks and scans from `root` may read. */
function readTables(executor: Executor, root: FrameNumber): void {
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

/** A store to a leaf entry reaches memory, where page walks see it. Returns the old entry. */
export function commitEntry(executor: Executor, mm: Mm, page: PageNumber, entry: bigint): bigint {
  executor.touched.write(executor.locations.ofEntry(mm.root, page));
  const isMapped = (mm.tables.entryAt(page) & PRESENT) !== 0n;
  if (isMapped) {
    const roots = isKernelPage(page) ? null : mm.roots;
    for (const { tlb } of executor.states) tlb.changing(roots, page, executor.choices);
  }
  const old = mm.tables.setEntry(page, entry);
  if ((entry & PRESENT) !== 0n) {
    for (const { tlb } of executor.states) tlb.fill();
  }
  return old;
}

/** One access in user mode; the operation stays until all are done. */
function runUser(executor: Executor, state: CpuState, top: Activation, stream: Stream): void {
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
    while (!state.buffer.isEmpty) executor.drain(state); // an exception drains the store buffer
    const handler = handleFault(cpu, { page: faulting, errorCode });
    cpu.current.stack.push(new Activation(handler, "exception"));
  } else if (stream.remaining === 0) top.pending = null;
}
