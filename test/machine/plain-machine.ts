// One core as plainly as it can be said: what assembly/ does with SIMD, lists and tags, on objects
// and Maps. Random programs must give the same results, cycle for cycle, on both.

import type {
  CacheDescription,
  MachineDescription,
  TlbArrayDescription,
} from "../../src/machine/description.ts";
import { PlainArray, type PlainEntry } from "./plain-array.ts";

const PAGES_OF = [1, 512, 512 * 512];
const SIZES = ["4K", "2M", "1G"] as const;

export interface PlainAccess {
  readonly kind: "read" | "write" | "execute";
  readonly user: boolean;
}

export type PlainResult =
  | { readonly fault: true; readonly errorCode: number }
  | { readonly fault: false; readonly source: "l1" | "l2" | "walk"; readonly frame: number };

/** Exact LRU of line numbers, most recent last. */
class PlainCache {
  private readonly sets: number[][];

  constructor(private readonly description: CacheDescription) {
    const { sizeBytes, ways } = description;
    this.sets = Array.from({ length: Math.floor(sizeBytes / 64 / ways) }, () => []);
  }

  access(line: number): boolean {
    const set = this.sets[line % this.sets.length]!;
    const place = set.indexOf(line);
    if (place >= 0) set.splice(place, 1);
    set.push(line);
    if (set.length > this.description.ways) set.shift();
    return place >= 0;
  }
}

type List = readonly PlainArray[];

export class PlainMachine {
  cycles = 0;
  /** Physical memory by address. */
  readonly memory = new Map<number, bigint>();
  private readonly lists: Record<"l1i" | "l1d" | "l2i" | "l2d", List>;
  /** Index 0: PDE cache, 1: PDPTE, 2: PML4E. Absent where there are no entries. */
  private readonly structures: (PlainArray | null)[];
  private readonly caches: readonly PlainCache[];
  private root = 0;
  private pcid = 0;
  /** The PCID in CR3. */
  private loadedPcid = 0;
  private globalPages = false;
  private pcidEnabled = false;

  constructor(private readonly description: MachineDescription) {
    const { tlb, structureCaches, l1d, l2, llc } = description;
    const list = (arrays: readonly TlbArrayDescription[]): List =>
      arrays.map((array) => new PlainArray(array));
    const l2d = list(tlb.secondLevelData);
    this.lists = {
      l1i: list(tlb.firstLevelInstruction),
      l1d: list(tlb.firstLevelData),
      l2i: tlb.secondLevelInstruction === "shared" ? l2d : list(tlb.secondLevelInstruction),
      l2d,
    };
    const structure = (entries: number): PlainArray | null =>
      entries === 0
        ? null
        : new PlainArray({
            entries,
            ways: entries,
            pageSizes: ["4K"],
            replacement: "lru",
            index: "linear",
          });
    this.structures = [structureCaches.pde, structureCaches.pdpte, structureCaches.pml4e].map(
      structure,
    );
    this.caches = [new PlainCache(l1d), new PlainCache(l2), new PlainCache(llc)];
  }

  access(page: number, line: number, access: PlainAccess): PlainResult {
    const instruction = access.kind === "execute";
    const first = instruction ? this.lists.l1i : this.lists.l1d;
    const second = instruction ? this.lists.l2i : this.lists.l2d;
    let source: "l1" | "l2" | "walk" = "l1";
    let entry = this.lookup(first, page);
    if (entry === null) {
      entry = this.lookup(second, page);
      if (entry !== null) {
        source = "l2";
        this.fill(first, entry);
        const { instruction: i, data } = this.description.tlb.secondLevelHitCycles;
        this.cycles += instruction ? i : data;
      }
    }
    if (entry !== null && !permits(entry, access)) return this.fault(page, access, 1);
    if (entry === null || (access.kind === "write" && !entry.dirty)) {
      const old = entry as PlainEntry | null;
      const walked = this.walk(page, access);
      if ("fault" in walked) return walked;
      if (old !== null && (old.size !== walked.size || old.global !== walked.global)) {
        this.dropPage(page, this.pcid, true);
      }
      this.fill(first, walked);
      this.fill(second, walked);
      entry = walked as PlainEntry;
      source = "walk";
    }
    const frame = entry.frame + (page % PAGES_OF[entry.size]!);
    this.cycles += this.load(frame * 64 + line);
    return { fault: false, source, frame };
  }

  writeCr3(root: number, pcid: number, keep: boolean): void {
    const { writeCr3Flush, writeCr3NoFlush } = this.description.instruction;
    const next = this.pcidEnabled ? pcid : 0;
    const changed = next !== this.pcid;
    this.root = root;
    this.pcid = next;
    this.loadedPcid = next;
    if (changed && this.description.tlb.firstLevelDataPerPcid) {
      for (const array of this.lists.l1d) array.drop((entry) => !entry.global);
    }
    if (this.pcidEnabled && keep) {
      this.cycles += writeCr3NoFlush;
    } else {
      this.dropContext(next);
      this.cycles += writeCr3Flush;
    }
  }

  /** Whether it was carried out. PCIDs are enabled only while the loaded one is 0. */
  writeCr4(globalPages: boolean, pcid: boolean): boolean {
    if (pcid && !this.pcidEnabled && this.loadedPcid !== 0) return false;
    if (globalPages !== this.globalPages || (this.pcidEnabled && !pcid)) this.dropAll(() => true);
    this.globalPages = globalPages;
    this.pcidEnabled = pcid;
    this.pcid = pcid ? this.loadedPcid : 0;
    this.cycles += this.description.instruction.writeCr4;
    return true;
  }

  invlpg(page: number): void {
    this.dropPage(page, this.pcid, true);
    this.dropStructures((entry) => entry.pcid === this.pcid);
    this.cycles += this.description.instruction.invlpg;
  }

  /** Whether it was carried out: with PCIDs off, it may name only 0. */
  invpcid(type: 0 | 1 | 2 | 3, pcid: number, page: number): boolean {
    if (type < 2 && pcid !== 0 && !this.pcidEnabled) return false;
    if (type === 0) {
      this.dropPage(page, pcid, false);
      this.dropStructuresFor(page, pcid);
    } else if (type === 1) {
      this.dropContext(pcid);
    } else {
      this.dropAll((entry) => type === 2 || !entry.global);
    }
    this.cycles += this.description.instruction.invpcid[type];
    return true;
  }

  private walk(page: number, access: PlainAccess): PlainEntry | (PlainResult & { fault: true }) {
    let level = 4;
    let path = { frame: this.root, writable: true, user: true, noExecute: false };
    for (let below = 1; below < 4 && level === 4; below++) {
      const number = Math.floor(page / 512 ** below);
      const found = this.structures[below - 1]?.use(keyFor(number, 0, false, this.pcid));
      if (found) {
        level = below;
        path = found;
      }
    }
    this.cycles += this.description.tlb.walkCycles;
    while (true) {
      const index = Math.floor(page / 512 ** (level - 1)) % 512;
      const address = path.frame * 4096 + index * 8;
      this.cycles += this.load(Math.floor(address / 64));
      const entry = this.memory.get(address) ?? 0n;
      if ((entry & 1n) === 0n) return this.fault(page, access, 0);
      const isLeaf = level === 1 || (entry & 0x80n) !== 0n;
      const span = isLeaf ? PAGES_OF[level - 1]! : 1;
      const frame = Number((entry >> 12n) & 0xff_ffff_ffffn);
      path = {
        frame: frame - (frame % span),
        writable: path.writable && (entry & 2n) !== 0n,
        user: path.user && (entry & 4n) !== 0n,
        noExecute: path.noExecute || entry >> 63n !== 0n,
      };
      if (isLeaf) {
        if (!permits(path, access)) return this.fault(page, access, 1);
        const used = entry | 0x20n | (access.kind === "write" ? 0x40n : 0n);
        this.memory.set(address, used);
        const size = level - 1;
        const global = this.globalPages && (entry & 0x100n) !== 0n;
        const number = Math.floor(page / PAGES_OF[size]!);
        return {
          ...keyFor(number, size, global, this.pcid),
          ...path,
          dirty: (used & 0x40n) !== 0n,
        };
      }
      this.memory.set(address, entry | 0x20n);
      level--;
      const number = Math.floor(page / 512 ** level);
      const key = keyFor(number, 0, false, this.pcid);
      this.structures[level - 1]?.fill({ ...key, ...path, dirty: false });
    }
  }

  private fault(page: number, access: PlainAccess, cause: number): PlainResult & { fault: true } {
    this.dropPage(page, this.pcid, true);
    this.dropStructuresFor(page, this.pcid);
    const errorCode =
      cause |
      (access.kind === "write" ? 2 : 0) |
      (access.user ? 4 : 0) |
      (access.kind === "execute" ? 16 : 0);
    return { fault: true, errorCode };
  }

  private lookup(list: List, page: number): PlainEntry | null {
    for (const global of [false, true]) {
      for (const [size, name] of SIZES.entries()) {
        const array = list.find(({ description }) => description.pageSizes.includes(name));
        const number = Math.floor(page / PAGES_OF[size]!);
        const found = array?.use(keyFor(number, size, global, this.pcid));
        if (found) return found;
      }
    }
    return null;
  }

  private fill(list: List, entry: PlainEntry): void {
    const name = SIZES[entry.size]!;
    list.find(({ description }) => description.pageSizes.includes(name))?.fill(entry);
  }

  private load(line: number): number {
    const { l1d, l2, llc, dramCycles } = this.description;
    const latencies = [l1d, l2, llc].map((cache) => cache.latencyCycles);
    const level = this.caches.findIndex((cache) => cache.access(line));
    return level < 0 ? dramCycles.local : latencies[level]!;
  }

  private dropContext(pcid: number): void {
    this.dropAll((entry) => !entry.global && entry.pcid === pcid);
  }

  private dropAll(matches: (entry: PlainEntry) => boolean): void {
    for (const list of Object.values(this.lists)) for (const array of list) array.drop(matches);
    this.dropStructures(matches);
  }

  private dropPage(page: number, pcid: number, globals: boolean): void {
    for (const list of Object.values(this.lists)) {
      for (const array of list) {
        array.drop(
          ({ number, size, global, pcid: own }) =>
            number === Math.floor(page / PAGES_OF[size]!) && (global ? globals : own === pcid),
        );
      }
    }
  }

  private dropStructures(matches: (entry: PlainEntry) => boolean): void {
    for (const array of this.structures) array?.drop(matches);
  }

  private dropStructuresFor(page: number, pcid: number): void {
    this.structures.forEach((array, below) => {
      const prefix = Math.floor(page / 512 ** (below + 1));
      array?.drop(({ number, pcid: own }) => number === prefix && own === pcid);
    });
  }
}

const keyFor = (number: number, size: number, global: boolean, pcid: number) => ({
  number,
  size,
  global,
  pcid,
});

function permits(
  rights: Pick<PlainEntry, "writable" | "user" | "noExecute">,
  { kind, user }: PlainAccess,
): boolean {
  if (user && !rights.user) return false;
  if (kind === "write" && !rights.writable) return false;
  return kind !== "execute" || !rights.noExecute;
}
