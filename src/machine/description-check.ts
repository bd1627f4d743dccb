// What a description has to be so that a machine can be made of it: every field, and then what
// fields have to be together.

import { BadInput, refuseUnknownKeys } from "../base/bad-input.ts";
import {
  type Check,
  choice,
  onlyFields,
  flag,
  integer,
  listOf,
  number,
  optional,
  readObject,
} from "../base/input.ts";
import {
  type MachineDescription,
  MAX_CORES,
  type PageSize,
  type TlbArrayDescription,
} from "./description.ts";

const WAYS_WITH_EVERY_POLICY = 16;
const ARRAYS_OF_A_LIST = 3;
const MOST_ENTRIES = 1 << 16;
const MOST_CACHE_WAYS = 32;
const LINE_BYTES = 64;
const MOST_CACHE_BYTES = 2 ** 30;
/** Some hours of one instruction. */
const MOST_CYCLES = 2 ** 40;
/** What an INVLPGB's count has room for. */
const MOST_BROADCAST_PAGES = 2 ** 16 - 1;
/** What a core has room for. */
const MOST_TRACKED_PCIDS = 64;
const ONE_ARRAY = "each page size in at most one array of a list";

const cycles: Check = number(0, MOST_CYCLES);
const count: Check = integer(1, MAX_CORES);
const pageSize: Check = choice("4K", "2M", "1G");
const distances: Check = onlyFields({
  sameLlc: cycles,
  sameSocket: cycles,
  oneHop: cycles,
  twoHops: cycles,
});
const localAndRemote: Check = onlyFields({ local: cycles, remote: cycles });

const arrays: Check = listOf(
  onlyFields({
    entries: integer(1, MOST_ENTRIES),
    ways: integer(1, MOST_ENTRIES),
    pageSizes: listOf(pageSize, { from: 1, to: 3 }),
    replacement: choice("lru", "tree-plru", "mru-plus-one-plru", "fifo"),
    index: choice("linear", "xor-fold"),
  }),
  { from: 0, to: ARRAYS_OF_A_LIST },
);

const tlb: Check = onlyFields({
  firstLevelInstruction: arrays,
  firstLevelData: arrays,
  secondLevelInstruction: (path, value) => void (value === "shared" || arrays(path, value)),
  secondLevelData: arrays,
  secondLevelHitCycles: onlyFields({ instruction: cycles, data: cycles }),
  walkCycles: cycles,
  pcidsTracked: integer(0, MOST_TRACKED_PCIDS),
  firstLevelDataPerPcid: flag,
});

const structureCache: Check = integer(0, MOST_ENTRIES);

const cache: Check = onlyFields({
  sizeBytes: integer(LINE_BYTES, MOST_CACHE_BYTES),
  ways: integer(1, MOST_CACHE_WAYS),
  latencyCycles: cycles,
});

const instruction: Check = onlyFields({
  writeCr3Flush: cycles,
  writeCr3NoFlush: cycles,
  writeCr4: cycles,
  invlpg: cycles,
  invpcid: listOf(cycles, { from: 4, to: 4 }),
  writeIcr: cycles,
  interruptEntry: cycles,
  endOfInterrupt: cycles,
  iret: cycles,
  pageFault: cycles,
  syscall: cycles,
  idleExit: cycles,
});

const paging: Check = onlyFields({
  vendor: choice("intel", "amd"),
  physicalAddressBits: integer(32, 52),
  gigabytePages: flag,
  fiveLevels: flag,
  pcid: flag,
  invpcid: flag,
  smep: flag,
  smap: flag,
  protectionKeys: flag,
  supervisorKeys: flag,
  noExecute: flag,
});

/** By field: one that is in the type and not here does not compile. */
const DESCRIPTION: Readonly<Record<keyof MachineDescription, Check>> = {
  frequencyGhz: number(0.001, 1000),
  topology: onlyFields({
    coreCount: count,
    coresPerLlc: count,
    llcsPerSocket: count,
    oneHopSockets: integer(0, MAX_CORES),
  }),
  tlb,
  structureCaches: onlyFields({
    pml5e: structureCache,
    pml4e: structureCache,
    pdpte: structureCache,
    pde: structureCache,
  }),
  l1d: cache,
  l2: cache,
  llc: cache,
  dramCycles: localAndRemote,
  line: onlyFields({
    localCycles: cycles,
    lockedCycles: cycles,
    transferCycles: distances,
    memoryCycles: localAndRemote,
    directoryAtHome: flag,
    readOccupancyCycles: cycles,
  }),
  instruction,
  broadcast: optional(
    onlyFields({
      pages: integer(1, MOST_BROADCAST_PAGES),
      issueCycles: cycles,
      completionCycles: cycles,
    }),
  ),
  remoteActionCycles: cycles,
  ipiDeliveryCycles: distances,
  paging,
};

/** Paths are those of the description's fields. */
export function checkDescription(description: MachineDescription): void {
  const names = Object.keys(DESCRIPTION) as readonly (keyof MachineDescription)[];
  refuseUnknownKeys(readObject("description", description), names, "description");
  for (const name of names) DESCRIPTION[name](name, description[name]);
  const { secondLevelInstruction, ...lists } = description.tlb;
  checkList("firstLevelInstruction", lists.firstLevelInstruction);
  checkList("firstLevelData", lists.firstLevelData);
  checkList("secondLevelData", lists.secondLevelData);
  if (secondLevelInstruction !== "shared") {
    checkList("secondLevelInstruction", secondLevelInstruction);
  }
}

function checkList(name: string, list: readonly TlbArrayDescription[]): void {
  const seen = new Set<PageSize>();
  list.forEach((array, index) => {
    checkArray(`tlb.${name}[${index}]`, array);
    for (const size of array.pageSizes) {
      if (seen.has(size)) throw new BadInput(`tlb.${name}[${index}].pageSizes`, size, ONE_ARRAY);
      seen.add(size);
    }
  });
  if (name.startsWith("firstLevel") && !seen.has("4K")) {
    throw new BadInput(`tlb.${name}`, [...seen].join(", "), "an array for 4K pages");
  }
}

function checkArray(path: string, { entries, ways, replacement }: TlbArrayDescription): void {
  if (!Number.isInteger(entries / ways)) {
    throw new BadInput(`${path}.entries`, entries, `a multiple of its ways (${ways})`);
  }
  if (ways > WAYS_WITH_EVERY_POLICY && replacement !== "lru") {
    throw new BadInput(`${path}.replacement`, replacement, `"lru" with more than 16 ways`);
  }
  if (replacement === "tree-plru" && !Number.isInteger(Math.log2(ways))) {
    throw new BadInput(`${path}.ways`, ways, `a power of two with "tree-plru"`);
  }
  if (replacement === "mru-plus-one-plru" && ways % 4 !== 0) {
    throw new BadInput(`${path}.ways`, ways, `a multiple of 4 with "mru-plus-one-plru"`);
  }
}
