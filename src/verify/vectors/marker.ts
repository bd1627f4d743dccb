// What a vector's physical memory holds: paging-structure entries in table pages, and everywhere
// else a marker that names its own address, so that a value read tells where it was read.
//
//     63                48 47 40 39                    8 7    0
//   | PA[47:44] PA[11:0]  | F4  | PA[43:12]             | B8   |    of each aligned 8 bytes at PA

import type { PagingEngine } from "../../base/architecture.ts";
import type { VectorCase } from "./vector.ts";

const PAGE_MASK = 0xfffn;
const FRAME_BITS = 0x000f_ffff_ffff_f000n;

/** The marker in the aligned 8 bytes around a physical address. It runs as `mov eax, ...; hlt`. */
export function marker(physical: bigint): bigint {
  const at = physical & ~7n;
  const frame = (at >> 12n) & 0xffff_ffffn;
  const offset = (at & PAGE_MASK) | (((at >> 44n) & 0xfn) << 12n);
  return 0xb8n | (frame << 8n) | (0xf4n << 40n) | (offset << 48n);
}

/** Pages that hold entries, that an operation rewrites entries of, or that CR3 ever points at. */
export function tablePages(vectorCase: VectorCase): ReadonlySet<bigint> {
  const pages = new Set<bigint>([rootPage(vectorCase, vectorCase.cr3)]);
  for (const { address } of vectorCase.entries) pages.add(pageOf(address));
  for (const operation of vectorCase.operations) {
    if (operation.kind === "entry") pages.add(pageOf(operation.address));
    if (operation.kind === "cr3") pages.add(rootPage(vectorCase, operation.value));
  }
  return pages;
}

const pageOf = (physical: bigint): bigint => physical & ~PAGE_MASK;

const rootPage = ({ mode }: VectorCase, cr3: bigint): bigint =>
  mode === "l4" || mode === "l5" ? cr3 & FRAME_BITS : pageOf(cr3 & 0xffff_ffffn);

/** The data that a vector's accesses transfer. Only table pages are kept in the engine. */
export class MarkedMemory {
  constructor(
    private readonly engine: PagingEngine,
    private readonly tables: ReadonlySet<bigint>,
  ) {}

  read(physical: bigint, bytes: number): bigint {
    let value = 0n;
    for (let index = bytes - 1; index >= 0; index--) {
      const at = physical + BigInt(index);
      const word = this.isTable(at) ? this.engine.readPhysical(at & ~7n, 8) : marker(at);
      value = (value << 8n) | ((word >> shiftOf(at)) & 0xffn);
    }
    return value;
  }

  /** A store outside table pages leaves no trace: the marker is put back before the next access. */
  write(physical: bigint, bytes: number, value: bigint): void {
    for (let index = 0; index < bytes; index++) {
      const at = physical + BigInt(index);
      if (!this.isTable(at)) continue;
      const byte = (value >> BigInt(8 * index)) & 0xffn;
      const word = this.engine.readPhysical(at & ~7n, 8) & ~(0xffn << shiftOf(at));
      this.engine.writePhysical(at & ~7n, 8, word | (byte << shiftOf(at)));
    }
  }

  private isTable(physical: bigint): boolean {
    return this.tables.has(pageOf(physical));
  }
}

/** Where in its aligned 8 bytes a byte is. */
const shiftOf = (physical: bigint): bigint => (physical & 7n) * 8n;
