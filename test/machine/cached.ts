// What can be cached, filled in all its kinds, and a look at what is left of it: pages of each
// size, global and not, of two PCIDs, in each TLB; and paging-structure caches of each level.

import type { AccessKind, ControlRegisters } from "../../src/base/architecture.ts";
import type {
  MachineDescription,
  PageSize,
  TlbArrayDescription,
} from "../../src/machine/description.ts";
import { isLong, LEVELS, type Mode, PS, registersOf } from "../reference/space.ts";
import { machineWith, TLB } from "./describe.ts";
import { addressOf, Lab } from "./lab.ts";

export const PCID = 5n;
export const OTHER = 6n;
const PGE = 1n << 7n;
const PCIDE = 1n << 17n;
const GLOBAL = 1n << 8n;
const US = 4n;
const P = 1n;

/** What an operation drops of one kind of cached thing. */
export type Scope = "all" | "page" | "none";

export interface Dropped {
  /** TLB entries: not global, of the current and of the other PCID, and global. */
  readonly current: Scope;
  readonly other: Scope;
  readonly global: Scope;
  /** Paging-structure caches; "page" is what a walk for the page would use. */
  readonly paths: Scope;
  readonly otherPaths: Scope;
}

export interface Region {
  readonly name: string;
  readonly address: bigint;
  readonly level: number;
  readonly global: boolean;
}

const sizesOf = (mode: Mode): readonly number[] => (isLong(mode) ? [1, 2, 3] : [1, 2]);

/** A near and a far page of each size, global and not; far ones in the upper half. */
export function regionsOf(mode: Mode): readonly Region[] {
  const regions: Region[] = [];
  for (const level of sizesOf(mode)) {
    for (const global of [false, true]) {
      for (const half of [0n, 1n]) {
        const number = BigInt(regions.length + 1);
        const name = `${global ? "global " : ""}page of level ${level} in half ${half}`;
        regions.push({ name, address: addressIn(mode, number, half), level, global });
      }
    }
  }
  return regions;
}

/** Of different index, and set, at every level. */
function addressIn(mode: Mode, number: bigint, half: bigint): bigint {
  const low = (number << 12n) | (number << (mode === "32-bit" ? 23n : 22n));
  if (mode === "32-bit") return addressOf(mode, low | (half << 31n));
  if (mode === "PAE") return addressOf(mode, low | (half << 31n));
  const high = (number << 31n) | (number << 39n) | (mode === "5-level" ? number << 48n : 0n);
  return addressOf(mode, low | high | (half << (mode === "5-level" ? 56n : 47n)));
}

const EVICTOR = 0x7f00_0000n;

/** Where a TLB entry may be: a first or second level, for data or for instructions. */
export interface Place {
  readonly name: string;
  readonly kind: AccessKind;
  readonly description: MachineDescription;
}

const array = (entries: number, ways: number, pageSizes: readonly PageSize[]) =>
  ({ entries, ways, pageSizes, replacement: "lru", index: "linear" }) as TlbArrayDescription;

const BIG = [array(64, 4, ["4K"]), array(64, 8, ["2M"]), array(32, 32, ["1G"])];
const SMALL = [array(1, 1, ["4K"])];
const SECOND = [array(96, 12, ["4K", "2M"]), array(32, 4, ["1G"])];
const structureCaches = { pml5e: 32, pml4e: 32, pdpte: 32, pde: 64 };

/** A level that has room for all, while the other has none. */
const described = (first: TlbArrayDescription[], second: TlbArrayDescription[]) =>
  machineWith({
    structureCaches,
    // Small, so that snapshots are.
    l2: { sizeBytes: 1 << 16, ways: 8, latencyCycles: 14 },
    llc: { sizeBytes: 1 << 18, ways: 8, latencyCycles: 70 },
    tlb: {
      ...TLB,
      firstLevelData: first,
      firstLevelInstruction: first,
      secondLevelData: second,
      secondLevelInstruction: second,
    },
  });

export const PLACES: readonly Place[] = (["read", "execute"] as const).flatMap((kind) => [
  { name: `first level, ${kind}`, kind, description: described(BIG, []) },
  { name: `second level, ${kind}`, kind, description: described(SMALL, SECOND) },
]);

const neighbour = (region: Region, mode: Mode, level: number): bigint =>
  region.address ^ (1n << (12n + (mode === "32-bit" ? 10n : 9n) * BigInt(level - 1)));

/** The levels whose tables a paging-structure cache can know. */
export const cachedLevels = (mode: Mode): readonly number[] =>
  LEVELS[mode].slice(1).filter((level) => mode !== "PAE" || level < 2);

/** A lab with all regions cached, of both PCIDs where there are PCIDs. */
export class Warm {
  readonly lab: Lab;
  readonly regions: readonly Region[];
  private readonly registers: ControlRegisters;

  constructor(
    readonly mode: Mode,
    readonly place: Place,
    readonly pcids: boolean,
    description = place.description,
  ) {
    const start = registersOf(mode);
    const cr4 = start.cr4 | PGE | (pcids ? PCIDE : 0n);
    this.lab = new Lab(mode, { description, registers: { cr4 } });
    this.regions = regionsOf(mode);
    for (const region of this.regions) this.map(region);
    this.lab.map(EVICTOR, { entry: 0x7_0000_0000n & (isLong(mode) ? ~0n : 0xffff_ffffn) });
    for (const pcid of pcids ? [OTHER, PCID] : [0n]) {
      this.load(pcid);
      for (const region of this.regions) this.fill(region);
      this.lab.access(place.kind, EVICTOR);
    }
    this.registers = this.lab.registers;
  }

  /** The PCID that is current before the operation. */
  get current(): bigint {
    return this.pcids ? PCID : 0n;
  }

  /** User pages, read-only, so that a write is a fault; and neighbours that are reached alike. */
  private map(region: Region): void {
    const flags = P | US | (region.global ? GLOBAL : 0n) | (region.level > 1 ? PS : 0n);
    const frame = BigInt(region.level) << 30n;
    const leaf = { entry: frame | flags, exact: true, level: region.level };
    this.lab.map(region.address, leaf);
    if (region.level > 1 || region.global) return;
    for (const level of LEVELS[this.mode].filter((one) => one < LEVELS[this.mode].length)) {
      this.lab.map(neighbour(region, this.mode, level), { ...leaf, level: 1 });
    }
  }

  private load(pcid: bigint): void {
    this.lab.write("cr3", this.lab.root | (this.pcids ? pcid | (1n << 63n) : 0n));
  }

  private fill({ address }: Region): void {
    this.lab.access(this.place.kind, address, { user: true });
  }

  /** Makes a PCID current again in the state before the operation, without an instruction. */
  private return(pcid: bigint): void {
    this.lab.set({ ...this.registers, cr3: this.lab.root | pcid });
  }

  /** What `does` drops, as the names of what is gone. */
  goneAfter(does: (lab: Lab, target: Region) => void, target: Region): readonly string[] {
    const { machine } = this.lab;
    const before = machine.snapshot();
    try {
      does(this.lab, target);
      const after = machine.snapshot();
      return this.probes()
        .filter((probe) => {
          machine.restore(after);
          return !this.isThere(probe);
        })
        .map(({ name }) => name);
    } finally {
      machine.restore(before);
    }
  }

  /** What should be gone. */
  expected(dropped: Dropped, target: Region): readonly string[] {
    const isGone = (scope: Scope, region: Region): boolean =>
      scope === "all" || (scope === "page" && region.address === target.address);
    return this.probes()
      .filter(({ scope, region }) => isGone(dropped[scope], region))
      .map(({ name }) => name);
  }

  private probes(): readonly Probe[] {
    const pcids = this.pcids ? [PCID, OTHER] : [0n];
    const pages = this.regions.flatMap((region) =>
      (region.global ? [this.current] : pcids).map((pcid): Probe => {
        const scope = region.global ? "global" : pcid === this.current ? "current" : "other";
        return { name: `${scope}: ${region.name}`, scope, region, pcid, level: 0 };
      }),
    );
    const paths = this.regions
      .filter(({ level, global }) => level === 1 && !global)
      .flatMap((region) =>
        pcids.flatMap((pcid) =>
          cachedLevels(this.mode).map((level): Probe => {
            const scope = pcid === this.current ? "paths" : "otherPaths";
            return { name: `${scope} ${level}: ${region.name}`, scope, region, pcid, level };
          }),
        ),
      );
    return [...pages, ...paths];
  }

  private isThere({ region, pcid, level }: Probe): boolean {
    const { lab, place } = this;
    this.return(pcid);
    if (level === 0) return lab.source(place.kind, region.address, { user: true }) !== "walk";
    const before = lab.machine.counters(0).walkLoads;
    lab.access(place.kind, neighbour(region, this.mode, level), { user: true });
    return lab.machine.counters(0).walkLoads - before === level;
  }
}

interface Probe {
  readonly name: string;
  readonly scope: keyof Dropped;
  readonly region: Region;
  readonly pcid: bigint;
  /** Of the table that a structure cache knows; 0 for a page. */
  readonly level: number;
}
