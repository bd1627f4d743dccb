// Runs a vector's case on an engine. The engine translates; what the accesses transfer is here.

import {
  type Access,
  type BootEngine,
  type ControlInstruction,
  type ControlRegisters,
  EVERY_FEATURE,
  type PagingEngine,
  type PagingFeatures,
  type Reached,
} from "../../base/architecture.ts";
import { MarkedMemory, tablePages } from "./marker.ts";
import type {
  DataOperation,
  Entry,
  Outcome,
  VectorCase,
  VectorOperation,
  VectorResult,
} from "./vector.ts";

/** The marker executes as two instructions of 5 and 1 bytes. */
const EXECUTED_BYTES = 6;
const PAGE_BYTES = 4096n;

/** What the case's processor has: everything but what the case says it lacks. */
export const featuresOf = ({
  vendor,
  physicalAddressBits,
  gigabytePages,
}: VectorCase): PagingFeatures => ({
  ...EVERY_FEATURE,
  vendor,
  physicalAddressBits,
  gigabytePages,
});

/** CR3 is loaded last, by an instruction that may fault. */
const registersOf = ({ cr0, cr4, efer, pkru }: VectorCase): ControlRegisters => ({
  cr0,
  cr3: 0n,
  cr4,
  efer,
  pkru,
  pkrs: 0n,
});

export function runCase(boot: BootEngine, vectorCase: VectorCase): VectorResult {
  const engine = boot(featuresOf(vectorCase), registersOf(vectorCase));
  const memory = new MarkedMemory(engine, tablePages(vectorCase));
  const entryBytes = vectorCase.mode === "l2" ? 4 : 8;
  const named = new Set<bigint>();
  const writeEntry = ({ address, value }: Entry): void => {
    named.add(address);
    engine.writePhysical(address, entryBytes, value);
  };
  vectorCase.entries.forEach(writeEntry);
  const loadFault = engine.control({ kind: "write", register: "cr3", value: vectorCase.cr3 });
  const operations = loadFault === undefined ? vectorCase.operations : [];
  const outcomes = operations.map((operation): Outcome => {
    if (operation.kind !== "entry") return perform(engine, memory, operation);
    writeEntry(operation);
    return {};
  });
  const finalEntries = [...named].map((address) => ({
    address,
    value: engine.readPhysical(address, entryBytes),
  }));
  return { ...(loadFault && { loadFault }), outcomes, finalEntries };
}

function perform(
  engine: PagingEngine,
  memory: MarkedMemory,
  operation: Exclude<VectorOperation, { kind: "entry" }>,
): Outcome {
  switch (operation.kind) {
    case "read":
    case "write":
    case "add":
    case "compare":
    case "execute":
      return transfer(engine, memory, operation);
    case "invlpg":
    case "invpcid":
      return carriedOut(engine, operation);
    default:
      return carriedOut(engine, {
        kind: "write",
        register: operation.kind,
        value: operation.value,
      });
  }
}

function carriedOut(engine: PagingEngine, instruction: ControlInstruction): Outcome {
  const fault = engine.control(instruction);
  return fault === undefined ? {} : { fault };
}

function transfer(engine: PagingEngine, memory: MarkedMemory, operation: DataOperation): Outcome {
  const access = accessOf(operation);
  const outcome = engine.access(access);
  if (outcome.fault !== undefined) return { fault: outcome.fault };
  const { reached } = outcome;
  if (operation.kind === "execute") return { frame: (reached.physical >> 12n) & 0xffff_ffffn };
  if (operation.kind === "write") {
    store(memory, access, reached, operation.value);
    return reached;
  }
  const value = load(memory, access, reached);
  // A LOCK CMPXCHG that does not match writes what it read.
  if (operation.kind === "compare") store(memory, access, reached, value);
  if (operation.kind !== "add") return { value };
  store(memory, access, reached, value + operation.value);
  return { value, ...reached };
}

function accessOf({ kind, address, bytes, user, alignmentCheck, stack }: DataOperation): Access {
  const origin = { address, user, alignmentCheck, stack };
  switch (kind) {
    case "execute":
      return { ...origin, kind, bytes: EXECUTED_BYTES };
    case "read":
    case "write":
      return { ...origin, kind, bytes };
    default:
      return { ...origin, kind: "write", bytes, locked: true };
  }
}

/** How many of the access's bytes are on its first page. */
function bytesOnFirstPage({ bytes }: Access, { physical, secondPhysical }: Reached): number {
  return secondPhysical === undefined ? bytes : Number(PAGE_BYTES - (physical % PAGE_BYTES));
}

function load(memory: MarkedMemory, access: Access, reached: Reached): bigint {
  const firstBytes = bytesOnFirstPage(access, reached);
  const first = memory.read(reached.physical, firstBytes);
  if (reached.secondPhysical === undefined) return first;
  const second = memory.read(reached.secondPhysical, access.bytes - firstBytes);
  return first | (second << BigInt(8 * firstBytes));
}

function store(memory: MarkedMemory, access: Access, reached: Reached, value: bigint): void {
  const firstBytes = bytesOnFirstPage(access, reached);
  memory.write(reached.physical, firstBytes, value);
  if (reached.secondPhysical === undefined) return;
  const rest = value >> BigInt(8 * firstBytes);
  memory.write(reached.secondPhysical, access.bytes - firstBytes, rest);
}
