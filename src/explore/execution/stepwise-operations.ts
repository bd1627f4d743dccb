// What each operation does under exploration, when it can be carried out, and which operations are
// steps of their own. Cycles do not exist here; neither do cache lines.

import { Activation } from "../../kernel/operation/activation.ts";
import type { Cell } from "../../kernel/operation/cell.ts";
import { makeCurrent } from "../../kernel/cpu/context-switch.ts";
import { Mm } from "../../kernel/state/mm.ts";
import { notAnOperation, type Operation } from "../../kernel/operation/operation.ts";
import { performOnTables } from "./table-operations.ts";
import { accessKernel, commitEntry, runUser } from "./user-accesses.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Execution } from "./execution.ts";
import { instruct } from "./instructions.ts";
import { type Footprint, NOTHING } from "../search/system.ts";
import { preemptVcpu } from "./vcpu.ts";

/** Operations that wait for a condition to hold. */
type Waiting = Extract<Operation, { readonly until: unknown }>;

/** Before which of the others the store buffer drains: SDM 3A 8.2.2, and 8.3 for CR3 and INVLPG. */
const DRAINS: Readonly<Record<Exclude<Operation, Waiting>["kind"], boolean>> = {
  work: false,
  workUntil: false,
  load: false,
  store: false,
  storeOwn: false,
  locked: true,
  fence: true,
  jiffies: false,
  writeCr3: true,
  writeCr4: true,
  invlpg: true,
  invpcid: true,
  invlpgb: false,
  tlbsync: true,
  invalidateRemotely: true,
  sendActions: true,
  sendIpi: true, // weak_wrmsr_fence: MFENCE and LFENCE before the write of an x2APIC register
  endOfInterrupt: false,
  interruptFlag: false,
  readEntry: false,
  writeEntry: false,
  exchangeEntry: true,
  updateEntry: true,
  linkPath: false,
  presentPages: false,
  tablesOf: false,
  detachTables: true,
  detachIfEmpty: true,
  readAreas: false,
  changeAreas: false,
  runUser: false,
  kernelAccess: false,
  call: false,
  switchTo: false,
  preemptVcpu: false,
  resumeVcpu: false,
  note: false,
};

/** There is no time but that of the ticks: each CPU has one, at any moment, a long one. */
const JIFFIES = 1;
const JIFFIES_PER_TICK = 2;

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
    default:
      return buffer.isEmpty || !DRAINS[operation.kind];
  }
}

/** What the CPU's next operation would touch, a wait for what has not come. */
export function footprintOfWait({ locations }: Execution, state: CpuState): Footprint {
  const operation = state.top.pending as Extract<Operation, { kind: "wait" }>;
  return {
    ...NOTHING,
    reads: [locations.ofCell(operation.cell)],
    writes: state.interruptsOn ? [state.controlLocation] : [],
    follows: state.interruptsOn ? [] : [state.controlLocation],
    condition: operation.until as Condition,
  };
}

/** Whether the operation is a step of its own: others could tell when it happens. */
export function isVisible(execution: Execution, state: CpuState, operation: Operation): boolean {
  switch (operation.kind) {
    case "work":
    case "workUntil":
    case "endOfInterrupt":
    case "call":
    case "switchTo":
    case "storeOwn":
    case "linkPath": // only this CPU loads it, later
    case "note":
      return false;
    case "interruptFlag":
      return state.interruptsOn && !operation.enabled;
    case "readAreas":
    case "changeAreas":
      return operation.mm.lockSequence !== null; // else nobody looks who has not mmap_lock
    case "fence":
      return execution.memory === "tso";
    case "load":
    case "store":
      return state.interruptsOn || !isPrivate(execution, operation.cell);
    case "locked":
      // A barrier too: what waits in the store buffer comes first.
      return (
        execution.memory === "tso" || state.interruptsOn || !isPrivate(execution, operation.cell)
      );
    case "jiffies":
    case "wait":
    case "queue":
    case "park":
    case "idle":
    case "writeCr3":
    case "writeCr4":
    case "invlpg":
    case "invpcid":
    case "invlpgb":
    case "tlbsync":
    case "invalidateRemotely":
    case "sendActions":
    case "sendIpi":
    case "readEntry":
    case "writeEntry":
    case "exchangeEntry":
    case "updateEntry":
    case "presentPages":
    case "tablesOf":
    case "detachTables":
    case "detachIfEmpty":
    case "runUser":
    case "kernelAccess":
    case "preemptVcpu":
    case "resumeVcpu":
      return true;
    default:
      return notAnOperation(operation);
  }
}

/** Whether only this kernel stack touches the cell, as far as is known: see exploreScenario. */
const isPrivate = ({ locations }: Execution, cell: Cell): boolean =>
  !locations.isShared(locations.ofCell(cell));

/** Carries out `operation`, which the code `top` has yielded. */
export function perform(
  execution: Execution,
  state: CpuState,
  top: Activation,
  operation: Operation,
): void {
  const { cpu, buffer } = state;
  const { touched, locations } = execution;
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
      use(execution, state, operation.cell);
      touched.readIf(locations.ofCell(operation.cell), operation.until as Condition);
      top.result = buffer.valueOf(operation.cell);
      return;
    case "load":
      use(execution, state, operation.cell);
      touched.read(locations.ofCell(operation.cell));
      top.result = buffer.valueOf(operation.cell);
      return;
    case "store":
      return store(execution, state, operation.cell, operation.value);
    case "locked":
      use(execution, state, operation.cell);
      touched.follow(state.bufferLocation);
      if (operation.commutes) touched.count(locations.ofCell(operation.cell), operation.cell.value);
      else touched.write(locations.ofCell(operation.cell), operation.cell.value);
      top.result = operation.cell.value;
      execution.commit(operation.cell, operation.update(operation.cell.value as never));
      return;
    case "writeCr3":
    case "writeCr4":
    case "invlpg":
    case "invpcid":
    case "invlpgb":
    case "tlbsync":
    case "invalidateRemotely":
    case "sendActions":
      return instruct(execution, state, operation);
    case "jiffies":
      touched.read(locations.named("jiffies"));
      top.result = JIFFIES + execution.ticks * JIFFIES_PER_TICK;
      return;
    case "kernelAccess":
      return accessKernel(execution, state, operation);
    case "sendIpi":
      touched.follow(state.bufferLocation);
      for (const target of operation.targets) {
        touched.write(execution.states[target]!.pendingLocation);
        execution.states[target]!.post(operation.vector);
        execution.emit(cpu, { kind: "ipiSent", target, vector: operation.vector });
      }
      return;
    case "interruptFlag":
      state.interruptsOn = operation.enabled;
      return;
    case "readEntry":
      touched.read(locations.ofEntry(operation.mm.root, operation.page));
      touched.read(locations.ofMapping(operation.mm.root, operation.page)); // its dirty bit
      top.result =
        buffer.entryOf(operation.mm, operation.page) ?? operation.mm.tables.entryAt(operation.page);
      return;
    case "writeEntry": {
      const { mm, page, entry, size } = operation;
      if (execution.memory === "sc") commitEntry(execution, cpu, operation);
      else buffer.add({ cell: null, mm, page, entry, size, step: execution.steps });
      return;
    }
    case "exchangeEntry":
      touched.follow(state.bufferLocation);
      top.result = commitEntry(execution, cpu, operation);
      return;
    case "updateEntry": {
      const { mm, page, update } = operation;
      touched.follow(state.bufferLocation);
      const entry = update(mm.tables.entryAt(page));
      top.result = commitEntry(execution, cpu, { ...operation, entry });
      return;
    }
    case "linkPath":
      operation.path.set(operation.page, operation.entry, operation.size);
      return;
    case "readAreas":
      touched.read(locations.named(`${operation.mm.name} areas`));
      top.result = operation.use(operation.mm.areas);
      return;
    case "changeAreas":
      touched.write(locations.named(`${operation.mm.name} areas`));
      top.result = operation.use(operation.mm.areas);
      return;
    case "presentPages":
    case "tablesOf":
    case "detachTables":
    case "detachIfEmpty":
      top.result = performOnTables(execution, state, operation);
      return;
    case "runUser":
      return runUser(execution, state, top, operation.stream);
    case "call":
      cpu.current.stack.push(new Activation(operation.code, "call"));
      return;
    case "switchTo":
      return makeCurrent(cpu, operation.next);
    case "preemptVcpu":
      return preemptVcpu(execution, execution.states[operation.cpu.id]!);
    case "resumeVcpu": // the host may let it run at any time
    case "storeOwn":
      return;
    case "note":
      return execution.emit(cpu, operation.notice);
    default:
      return notAnOperation(operation);
  }
}

function store(execution: Execution, state: CpuState, cell: Cell, value: unknown): void {
  use(execution, state, cell);
  const location = execution.locations.ofCell(cell);
  if (execution.memory === "tso" && execution.locations.isShared(location)) {
    state.buffer.add({ cell, value, step: execution.steps });
    return;
  }
  execution.touched.write(location, cell.value);
  execution.commit(cell, value);
}

/** A pointer to what has been freed is followed. */
function use(execution: Execution, { cpu }: CpuState, { name, owner }: Cell): void {
  if (owner === null || !owner.freed) return;
  const mm = owner instanceof Mm ? owner : null;
  execution.emit(cpu, { kind: "useAfterFree", owner: owner.name, cell: name, mm });
}
