// What each operation does under the clock: its effect at once, its cycles from the machine. The
// clock runs cores in the order of their cycles, so the order of effects is sequentially
// consistent; the price of store buffers is in the machine's lines, their reorderings are the
// explorer's subject.

import { addressOfPage, hex, type PageNumber } from "../base/address.ts";
import { assert } from "../base/assert.ts";
import type { Machine } from "../machine/machine.ts";
import { Activation } from "../kernel/operation/activation.ts";
import { icrWrites } from "../kernel/cpu/icr.ts";
import type { Cell } from "../kernel/operation/cell.ts";
import { makeCurrent } from "../kernel/cpu/context-switch.ts";
import type { Cpu } from "../kernel/state/cpu.ts";
import { leafAt, withdraws } from "../kernel/state/leaf-entry.ts";
import { HZ, notAnOperation, type Operation } from "../kernel/operation/operation.ts";
import { Mm } from "../kernel/state/mm.ts";
import type { Host } from "./host.ts";
import type { RemoteActions } from "./remote-actions.ts";
import type { Tick } from "./tick.ts";
import type { Timeline } from "./timeline.ts";

/** What code does while its condition does not hold. */
const PARKED_AS = { wait: "waiting", queue: "queued", park: "parked", idle: "idle" } as const;

const cyclesPerSecond = ({ description }: Machine): number => description.frequencyGhz * 1e9;

/** The clock, as operations see it. */
export interface TimedExecutor extends Timeline {
  readonly host: Host;
  readonly actions: RemoteActions;
  /** Null where the protocol does nothing at a tick. */
  readonly tick: Tick | null;
  setInterrupts(cpu: Cpu, enabled: boolean): void;
  /** The CPU goes to user mode, unless another task is to run first. */
  leaveForUser(cpu: Cpu): void;
  /** Parks `top`: a change of its cell wakes it, unless it is in HLT, which only interrupts end. */
  watch(top: Activation): void;
}

/** Carries out `operation`, which the code `top` on `cpu` has just yielded. */
export function perform(
  clock: TimedExecutor,
  cpu: Cpu,
  top: Activation,
  operation: Operation,
): void {
  const { machine } = clock.kernel;
  switch (operation.kind) {
    case "work":
      top.activity = "working";
      top.workLeft = operation.cycles;
      return;
    case "workUntil":
      top.activity = "working";
      top.workLeft = Math.max(0, operation.cycle - machine.now(cpu.id));
      return;
    case "load":
      checkOwner(clock, cpu, operation.cell);
      machine.lineLoad(cpu.id, operation.cell.line.index);
      top.result = operation.cell.value;
      return;
    case "store":
      checkOwner(clock, cpu, operation.cell);
      machine.lineStore(cpu.id, operation.cell.line.index);
      operation.cell.value = operation.value;
      clock.changed(operation.cell, cpu);
      return;
    case "storeOwn":
      machine.lineStore(cpu.id, operation.line.index);
      return;
    case "locked":
      return performLocked(clock, cpu, top, operation.cell, operation.update);
    case "fence":
      machine.fence(cpu.id);
      return;
    case "jiffies":
      top.result = Math.floor(machine.now(cpu.id) / (cyclesPerSecond(machine) / HZ));
      return;
    case "wait":
    case "queue":
    case "park":
    case "idle":
      return performWait(clock, cpu, top, operation);
    case "writeCr3": {
      const { root, pcid, keep } = operation;
      machine.writeCr3(cpu.id, { root, pcid, keep });
      clock.emit(cpu, { kind: "cr3Written", root, pcid, keep });
      return;
    }
    case "writeCr4": {
      const { pcid } = clock.kernel.options;
      machine.writeCr4(cpu.id, { globalPages: operation.globalPages, pcid });
      return;
    }
    case "invlpg":
      machine.invlpg(cpu.id, operation.page);
      return;
    case "invpcid":
      return performInvpcid(clock, cpu, operation);
    case "invlpgb":
      machine.broadcasts.issue(cpu.id, operation.what);
      clock.emit(cpu, { kind: "broadcastBegun", what: operation.what });
      return;
    case "tlbsync":
      machine.broadcasts.complete(cpu.id);
      clock.emit(cpu, { kind: "broadcastsDone" });
      return;
    case "invalidateRemotely": {
      const { what } = operation.request;
      const cpus = machine.remote.request(cpu.id, operation.request);
      return clock.emit(cpu, { kind: "invalidatedRemotely", what, cpus });
    }
    case "sendActions":
      for (const _ of icrWrites(cpu, targetsOf(operation))) machine.writeIcr(cpu.id);
      return clock.actions.send(clock, cpu, operation);
    case "sendIpi":
      return performSendIpi(clock, cpu, operation.targets, operation.vector);
    case "endOfInterrupt":
      machine.endOfInterrupt(cpu.id);
      clock.interruptsChanged(cpu);
      return;
    case "interruptFlag":
      clock.setInterrupts(cpu, operation.enabled);
      return;
    case "readEntry":
      machine.touch(cpu.id, operation.mm.tables.addressOfEntry(operation.page));
      top.result = operation.mm.tables.entryAt(operation.page);
      return;
    case "writeEntry":
    case "exchangeEntry":
      return performWriteEntry(clock, cpu, top, operation);
    case "updateEntry": {
      const entry = operation.update(operation.mm.tables.entryAt(operation.page));
      return performWriteEntry(clock, cpu, top, { ...operation, entry });
    }
    case "linkPath": {
      const { path, page, entry, size } = operation;
      for (const at of path.set(page, entry, size)) machine.touch(cpu.id, at);
      return;
    }
    case "presentPages":
      top.result = operation.mm.tables.presentPages(operation.range);
      return;
    case "readAreas":
    case "changeAreas":
      top.result = operation.use(operation.mm.areas);
      return;
    case "tablesOf":
      top.result = operation.mm.tables.tablesOf(operation.range, operation.size);
      return;
    case "detachTables": {
      const { areas, tables } = operation.mm;
      top.result = tables.detach(operation.range, (range) => !areas.overlaps(range));
      return;
    }
    case "detachIfEmpty":
      top.result = operation.mm.tables.detachIfEmpty(operation.range);
      return;
    case "runUser":
      top.activity = "user";
      top.stream = operation.stream;
      // A wake-up that came while this was kernel code is seen on the way out of it.
      return clock.leaveForUser(cpu);
    case "kernelAccess":
      return performKernelAccess(clock, cpu, operation.page, operation.write);
    case "call":
      cpu.current.stack.push(new Activation(operation.code, "call"));
      return;
    case "switchTo":
      makeCurrent(cpu, operation.next);
      clock.tick?.update(cpu);
      return;
    case "preemptVcpu": {
      const when = { cycle: machine.now(cpu.id), cycles: operation.cycles };
      return clock.host.preempt(clock, operation.cpu, when);
    }
    case "resumeVcpu":
      return clock.host.resume(clock, operation.cpu, machine.now(cpu.id));
    case "note":
      return clock.emit(cpu, operation.notice);
    default:
      return notAnOperation(operation);
  }
}

type EntryWrite = Omit<Extract<Operation, { kind: "writeEntry" | "exchangeEntry" }>, "kind">;

function performWriteEntry(
  clock: TimedExecutor,
  cpu: Cpu,
  top: Activation,
  { mm, page, entry, size }: EntryWrite,
): void {
  const old = mm.tables.setEntry(page, entry, size);
  top.result = old;
  clock.kernel.machine.touch(cpu.id, mm.tables.addressOfEntry(page));
  if (!withdraws(old, entry)) return;
  clock.emit(cpu, { kind: "entryWithdrawn", mm, range: leafAt(page, size) });
}

function performInvpcid(
  clock: TimedExecutor,
  cpu: Cpu,
  { type, pcid, page }: Extract<Operation, { kind: "invpcid" }>,
): void {
  const descriptor = { pcid: BigInt(pcid), address: addressOfPage(page) };
  const fault = clock.kernel.machine.invpcid(cpu.id, BigInt(type), descriptor);
  assert(fault === undefined, "INVPCID names a PCID only while CR4.PCIDE is set");
}

function performKernelAccess(
  clock: TimedExecutor,
  cpu: Cpu,
  page: PageNumber,
  write: boolean,
): void {
  const { machine } = clock.kernel;
  const kind = write ? "write" : "read";
  const access = { address: addressOfPage(page), kind, user: false } as const;
  let result = machine.access(cpu.id, access);
  // A cached entry that lacks rights: hardware walks again before it faults, the machine after it.
  if (result.fault !== undefined) result = machine.access(cpu.id, access);
  assert(result.fault === undefined, `the kernel touches only what it mapped (page ${hex(page)})`);
  if (result.stale) clock.emit(cpu, { kind: "staleUse", page, root: machine.root(cpu.id) });
}

function performLocked(
  clock: TimedExecutor,
  cpu: Cpu,
  top: Activation,
  cell: Cell,
  update: (old: never) => unknown,
): void {
  checkOwner(clock, cpu, cell);
  clock.kernel.machine.lineLocked(cpu.id, cell.line.index);
  if (cell.isRefcount) clock.emit(cpu, { kind: "refcountOperation", counter: cell.name });
  const old = cell.value;
  cell.value = update(old as never);
  top.result = old;
  if (cell.value !== old) clock.changed(cell, cpu);
}

function performWait(
  clock: TimedExecutor,
  cpu: Cpu,
  top: Activation,
  operation: Extract<Operation, { kind: "wait" | "queue" | "park" | "idle" }>,
): void {
  const { cell, until } = operation;
  checkOwner(clock, cpu, cell);
  clock.kernel.machine.lineLoad(cpu.id, cell.line.index);
  if (until(cell.value as never)) {
    top.result = cell.value;
    return;
  }
  top.activity = PARKED_AS[operation.kind];
  top.cell = cell;
  top.until = until;
  top.cpu = cpu.id;
  top.wakeCycle = Infinity;
  clock.watch(top);
}

function performSendIpi(
  clock: TimedExecutor,
  cpu: Cpu,
  targets: readonly number[],
  vector: number,
): void {
  const { machine, cpus } = clock.kernel;
  for (const together of icrWrites(cpu, targets)) {
    machine.writeIcr(cpu.id);
    for (const target of together) {
      machine.deliverIpi(cpu.id, target, vector);
      clock.emit(cpu, { kind: "ipiSent", target, vector });
      clock.interruptsChanged(cpus[target]!);
    }
  }
}

const targetsOf = ({ targets }: Extract<Operation, { kind: "sendActions" }>): readonly number[] =>
  targets.map(({ cpu }) => cpu);

function checkOwner(clock: TimedExecutor, cpu: Cpu, cell: Cell): void {
  const { owner } = cell;
  if (owner === null || !owner.freed) return;
  const mm = owner instanceof Mm ? owner : null;
  clock.emit(cpu, { kind: "useAfterFree", owner: owner.name, cell: cell.name, mm });
}
