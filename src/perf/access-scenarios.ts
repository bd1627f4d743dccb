// How many nanoseconds of the host one emulated access takes: what is looked up, by scenario.

import { frameNumber, pageNumber } from "../base/address.ts";
import type { MachineDescription, TlbArrayDescription } from "../machine/description.ts";
import { Machine } from "../machine/machine.ts";
import { PageTables } from "../machine/page-table.ts";
import { type StreamOptions, userStream } from "../machine/stream.ts";

export interface AccessScenario {
  readonly name: "access-l1-hit" | "access-stlb-hit" | "access-walk" | "access-mixed";
  readonly unit: "ns/access";
  /** What is measured: that many accesses. */
  prepare(description: MachineDescription): (accesses: number) => void;
}

const FIRST_PAGE = pageNumber(0x10_0000);

export const ACCESS_SCENARIOS: readonly AccessScenario[] = [
  {
    name: "access-l1-hit",
    unit: "ns/access",
    prepare: (description) => prepareStream(description, { elements: 16 }),
  },
  {
    name: "access-stlb-hit",
    unit: "ns/access",
    prepare: (description) => {
      const { firstLevelData, secondLevelData } = description.tlb;
      const first = entriesFor4K(firstLevelData);
      const second = entriesFor4K(secondLevelData);
      return prepareStream(description, { elements: Math.min(first * 4, second / 2) });
    },
  },
  {
    // 8 pages of each of 4096 different 2 MiB regions would miss everything; one page of each entry
    // of a region misses the TLBs while page-table lines stay in L1D and L2.
    name: "access-walk",
    unit: "ns/access",
    prepare: (description) => {
      const { secondLevelData } = description.tlb;
      return prepareStream(description, { elements: entriesFor4K(secondLevelData) * 4 });
    },
  },
  {
    name: "access-mixed",
    unit: "ns/access",
    prepare: (description) =>
      prepareStream(description, { elements: 2048, order: "random", writePercent: 30 }),
  },
];

function entriesFor4K(arrays: readonly TlbArrayDescription[]): number {
  return arrays.find(({ pageSizes }) => pageSizes.includes("4K"))?.entries ?? 0;
}

/** A machine of one core whose stream runs over mapped pages for ever. */
function prepareStream(
  description: MachineDescription,
  options: StreamOptions & { readonly elements: number },
): (accesses: number) => void {
  const topology = { ...description.topology, coreCount: 1 };
  const machine = new Machine({ ...description, topology }, { callers: "trusted" });
  let nextFrame = 1;
  const tables = new PageTables(machine, () => frameNumber(nextFrame++));
  for (let index = 0; index < options.elements; index++) {
    const frame = frameNumber(0x8_0000 + index);
    tables.map(pageNumber(FIRST_PAGE + index), { frame, user: true, writable: true });
  }
  machine.writeCr3(0, { root: tables.root, pcid: 0, keep: false });
  const stream = userStream({ base: FIRST_PAGE, stagger: true, ...options });
  return (accesses) => {
    stream.remaining = accesses;
    machine.runStream(0, stream, Infinity);
  };
}
