// What each operation does under exploration, when it can be carried out, and which operations are
// steps of their own. Cycles do not exist here; neither do cache lines.

import { Activation } from "../../kernel/operation/activation.ts";
import type { Cell } from "../../kernel/operation/cell.ts";
import { makeCurrent } from "../../kernel/cpu/context-switch.ts";
import { Mm } from "../../kernel/state/mm.ts";
import type { Operation } from "../../kernel/operation/operation.ts";
import { accessKernel, commitEntry, readTables, runUser } from "./user-accesses.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Executor } from "./executor.ts";
import { instruct } from "./instructions.ts";
import type { Footprint } from "../search/system.ts";
import { preemptVcpu } from "./vcpu.ts";

/** Operations before which the store buffer drains: SDM 3A 8.2.2, and 8.3 for CR3 and INVLPG. */
const DRAINING: ReadonlySet<Operation["kind"]> = new Set([
  "locked",
  "fence",
  "exchangeEntry",
  "updateEntry",
  "detachTables",
  "writeCr3",
  "writeCr4",
  "invlpg",
  "invpcid",
  "tlbsync",
  "invalidateRemotely",
  "sendActions",
  "sendIpi", // weak_wrmsr_fence: MFENCE and LFENCE before the write of an x2APIC register
]);

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
    case "linkPath": // only this CPU loads it, later
    case "note":
      return false;
    case "interruptFlag":
      return state.interruptsOn && !operation.enabled;
    case "readAreas":
    case "changeAreas":
      return operation.mm.lockSequence !== null; // else nobody looks who has not mmap_lock
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
  const { touched, locations } = executor;
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
    case "writeCr3":
    case "writeCr4":
    case "invlpg":
    case "invpcid":
    case "invlpgb":
    case "tlbsync":
    case "invalidateRemotely":
    case "sendActions":
      return instruct(executor, state, operation);
    case "jiffies":
      touched.read(locations.named("jiffies"));
      top.result = JIFFIES + executor.ticks * JIFFIES_PER_TICK;
      return;
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
      const { mm, page, entry, size } = operation;
      if (executor.memory === "sc") commitEntry(executor, cpu, operation);
      else buffer.add({ cell: null, mm, page, entry, size, step: executor.steps });
      return;
    }
    case "exchangeEntry":
      touched.follow(state.bufferLocation);
      top.result = commitEntry(executor, cpu, operation);
      return;
    case "updateEntry": {
      const { mm, page, update } = operation;
      touched.follow(state.bufferLocation);
      const entry = update(mm.tables.entryAt(page));
      top.result = commitEntry(executor, cpu, { ...operation, entry });
      return;
    }
    case "linkPath":
      operation.path.set(operation.page, operation.entry, operation.size);
      return;
    case "presentPages":
      readTables(executor, operation.mm.root);
      top.result = operation.mm.tables.presentPages(operation.range);
      return;
    case "readAreas":
      touched.read(locations.named(`${operation.mm.name} areas`));
      top.result = operation.use(operation.mm.areas);
      return;
    case "changeAreas":
      touched.write(locations.named(`${operation.mm.name} areas`));
      top.result = operation.use(operation.mm.areas);
      return;
    case "tablesOf":
      readTables(executor, operation.mm.root);
      top.result = operation.mm.tables.tablesOf(operation.range, operation.size);
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
      return makeCurrent(cpu, operation.next);
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
