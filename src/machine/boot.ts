// Writes a description into the machine, as f64 fields in the order in which
// assembly/description.ts reads them, and boots it. The order is written down on both sides. So the
// count of the fields stands behind the last one, and each side compares it with its own.

import type { PagingFeatures } from "../base/architecture.ts";
import { assert } from "../base/assert.ts";
import { BadInput } from "../base/bad-input.ts";
import {
  type CacheDescription,
  type DistanceCycles,
  type MachineDescription,
  type PageSize,
  type Replacement,
  type TlbArrayDescription,
} from "./description.ts";
import { checkDescription } from "./description-check.ts";
import type { MachineInstance } from "./wasm.ts";

const SIZE_BITS: Readonly<Record<PageSize, number>> = { "4K": 1, "2M": 2, "1G": 4 };

const POLICIES: Readonly<Record<Replacement, string>> = {
  lru: "REPLACE_LRU",
  "tree-plru": "REPLACE_TREE_PLRU",
  "mru-plus-one-plru": "REPLACE_MRU_PLUS_ONE_PLRU",
  fifo: "REPLACE_FIFO",
};

const TOO_LARGE = "fewer cores, or smaller caches: they take more than 2 GiB";

export function boot(instance: MachineInstance, description: MachineDescription): void {
  checkDescription(description);
  bootFrom(instance, descriptionFields(instance, description));
}

/** Boots the machine that the fields describe, and asserts that it reads as many as there are. */
export function bootFrom({ functions, memory }: MachineInstance, fields: readonly number[]): void {
  const closed = [...fields, fields.length];
  new Float64Array(memory.buffer, functions.descriptionBlock(), closed.length).set(closed);
  const read = functions.boot();
  if (read === 0) throw new BadInput("topology.coreCount", fields[0], TOO_LARGE);
  assert(read === fields.length, `the machine reads all ${fields.length} fields (read: ${read})`);
}

export function descriptionFields(
  instance: MachineInstance,
  machine: MachineDescription,
): readonly number[] {
  const { topology, tlb, structureCaches, line, instruction } = machine;
  const second = tlb.secondLevelInstruction;
  const array = (one: TlbArrayDescription): number[] => [
    one.entries,
    one.ways,
    one.pageSizes.reduce((bits, size) => bits | SIZE_BITS[size], 0),
    instance.constant(POLICIES[one.replacement]),
    Number(one.index === "xor-fold"),
  ];
  const list = (arrays: readonly TlbArrayDescription[]): number[] => [
    arrays.length,
    ...arrays.flatMap(array),
  ];
  return [
    topology.coreCount,
    topology.coresPerLlc,
    topology.llcsPerSocket,
    topology.oneHopSockets,
    ...list(tlb.firstLevelData),
    ...list(tlb.firstLevelInstruction),
    ...list(tlb.secondLevelData),
    ...list(second === "shared" ? [] : second),
    Number(second === "shared"),
    tlb.secondLevelHitCycles.instruction,
    tlb.secondLevelHitCycles.data,
    tlb.walkCycles,
    tlb.pcidsTracked,
    Number(tlb.firstLevelDataPerPcid),
    structureCaches.pml5e,
    structureCaches.pml4e,
    structureCaches.pdpte,
    structureCaches.pde,
    ...cache(machine.l1d),
    ...cache(machine.l2),
    ...cache(machine.llc),
    machine.dramCycles.local,
    line.localCycles,
    line.lockedCycles,
    ...distances(line.transferCycles),
    line.memoryCycles.local,
    line.memoryCycles.remote,
    Number(line.directoryAtHome),
    line.readOccupancyCycles,
    instruction.writeCr3Flush,
    instruction.writeCr3NoFlush,
    instruction.writeCr4,
    instruction.invlpg,
    ...instruction.invpcid,
    machine.broadcast?.issueCycles ?? 0,
    machine.broadcast?.completionCycles ?? 0,
    machine.broadcast?.pages ?? 0,
    instruction.writeIcr,
    instruction.interruptEntry,
    instruction.endOfInterrupt,
    instruction.iret,
    ...distances(machine.ipiDeliveryCycles),
    ...features(machine.paging),
  ];
}

const features = (paging: PagingFeatures): number[] => [
  Number(paging.vendor === "amd"),
  paging.physicalAddressBits,
  Number(paging.gigabytePages),
  Number(paging.noExecute),
  Number(paging.invpcid),
  Number(paging.fiveLevels),
  Number(paging.pcid),
  Number(paging.smep),
  Number(paging.smap),
  Number(paging.protectionKeys),
  Number(paging.supervisorKeys),
];

const cache = (one: CacheDescription): number[] => [one.sizeBytes, one.ways, one.latencyCycles];

const distances = (one: DistanceCycles): number[] => [
  one.sameLlc,
  one.sameSocket,
  one.oneHop,
  one.twoHops,
];
