// Machine instructions under exploration that change what TLBs hold. Each is a full barrier where
// hardware serialises, drops what the machine says it drops, and then fills anew what is in reach.

import { addressOfPage, pageAfter } from "../../base/address.ts";
import { assert, unreachable } from "../../base/assert.ts";
import type { Operation } from "../../kernel/operation/operation.ts";
import { ACTION_DONE } from "../../kernel/operation/remote-operation.ts";
import type { Broadcast } from "../../machine/broadcast.ts";
import { readCondemned, readMappings, readTables } from "./user-accesses.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Execution } from "./execution.ts";

type Instruction = Extract<
  Operation,
  {
    kind:
      | "writeCr3"
      | "writeCr4"
      | "invlpg"
      | "invpcid"
      | "invlpgb"
      | "tlbsync"
      | "invalidateRemotely"
      | "sendActions";
  }
>;

export function instruct(execution: Execution, state: CpuState, instruction: Instruction): void {
  const { touched, kernel } = execution;
  const { machine } = kernel;
  const { cpu, tlb } = state;
  if (instruction.kind === "invlpgb") return broadcast(execution, state, instruction.what);
  touched.follow(state.bufferLocation);
  touched.write(state.tlbLocation);
  readCondemned(execution, tlb);
  readMappings(execution, instruction.kind === "writeCr3" ? instruction.root : tlb.root);
  switch (instruction.kind) {
    case "writeCr3": {
      const { root, pcid, keep } = instruction;
      if (root !== tlb.root) {
        touched.write(state.rootLocation);
        // What appears below the old root is cached before this, and not after.
        if (keep || pcid !== tlb.pcid) readTables(execution, tlb.root);
      }
      machine.writeCr3(cpu.id, { root, pcid, keep });
      tlb.loaded(root, pcid, keep);
      return execution.emit(cpu, { kind: "cr3Written", root, pcid, keep });
    }
    case "writeCr4": {
      const { pcid } = kernel.options;
      machine.writeCr4(cpu.id, { globalPages: instruction.globalPages, pcid });
      return tlb.emptied(null); // a change of CR4.PGE
    }
    case "invlpg":
      machine.invlpg(cpu.id, instruction.page);
      return tlb.invalidated(instruction.page, tlb.pcid);
    case "invpcid":
      return invalidatePcid(state, instruction);
    case "tlbsync":
      return synchronise(execution, state);
    case "invalidateRemotely":
      return invalidateRemotely(execution, state, instruction);
    case "sendActions":
      return sendActions(execution, state, instruction);
    default:
      return unreachable(instruction);
  }
}

function invalidatePcid(
  { cpu, tlb }: CpuState,
  { type, pcid, page }: Extract<Operation, { kind: "invpcid" }>,
): void {
  const descriptor = { pcid: BigInt(pcid), address: addressOfPage(page) };
  const fault = cpu.kernel.machine.invpcid(cpu.id, BigInt(type), descriptor);
  assert(fault === undefined, "INVPCID names a PCID only while CR4.PCIDE is set");
  if (type === 0) tlb.invalidated(page, pcid);
  else tlb.emptied(type === 1 ? pcid : null);
}

/** INVLPGB begins; the machine carries it out as late as it may, at the TLBSYNC. */
function broadcast(execution: Execution, { cpu, broadcasts }: CpuState, what: Broadcast): void {
  execution.kernel.machine.broadcasts.issue(cpu.id, what);
  broadcasts.push(what);
  execution.emit(cpu, { kind: "broadcastBegun", what });
}

/** One step, in which whoever holds something is found and forgets it. */
function invalidateRemotely(
  execution: Execution,
  { cpu }: CpuState,
  { request }: Extract<Operation, { kind: "invalidateRemotely" }>,
): void {
  const { kernel, states, touched } = execution;
  const { what } = request;
  const cpus = kernel.machine.remote.request(cpu.id, request);
  for (const state of states) {
    touched.write(state.tlbLocation);
    readCondemned(execution, state.tlb);
    readMappings(execution, state.tlb.root);
    if (cpus.includes(state.cpu.id)) forget(state, what);
  }
  execution.emit(cpu, { kind: "invalidatedRemotely", what, cpus });
}

/** Carried out at once. Later would be no other: until then the target may use what is old. */
function sendActions(
  execution: Execution,
  { cpu }: CpuState,
  { what, targets }: Extract<Operation, { kind: "sendActions" }>,
): void {
  const { kernel, states, touched, locations } = execution;
  for (const target of targets) {
    const state = states[target.cpu]!;
    touched.write(state.tlbLocation);
    readCondemned(execution, state.tlb);
    readMappings(execution, state.tlb.root);
    kernel.machine.remote.invalidate(target.cpu, what);
    forget(state, what);
    touched.write(locations.ofCell(target.status), target.status.value);
    execution.commit(target.status, ACTION_DONE);
  }
  const cpus = targets.map((target) => target.cpu);
  execution.emit(cpu, { kind: "invalidatedRemotely", what, cpus });
}

function synchronise(execution: Execution, { cpu, broadcasts }: CpuState): void {
  const { kernel, states, touched } = execution;
  kernel.machine.broadcasts.complete(cpu.id);
  for (const state of states) {
    touched.write(state.tlbLocation);
    readCondemned(execution, state.tlb);
    readMappings(execution, state.tlb.root);
    for (const what of broadcasts) forget(state, what);
  }
  broadcasts.length = 0;
  execution.emit(cpu, { kind: "broadcastsDone" });
}

function forget({ tlb }: CpuState, what: Broadcast): void {
  const pcid = "pcid" in what ? what.pcid : null;
  if (!("range" in what)) return tlb.emptied(pcid);
  const { start, end } = what.range;
  for (let page = start; page < end; page = pageAfter(page, 1)) tlb.invalidated(page, pcid);
}
