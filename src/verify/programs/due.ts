// The invalidation that the manual demands of software: after which changes it is due, and a way to
// make it that leaves nothing behind. SDM 3A 4.10.4.

import type {
  ControlInstruction,
  ControlRegisters,
  PagingFeatures,
} from "../../base/architecture.ts";
import { loadsPdptes } from "../../reference/pdpte.ts";
import { bits, CR4, EFER, has, pagingMode } from "../../reference/registers.ts";
import type { OpenEngine } from "./random-program.ts";

const NO_FLUSH = 1n << 63n;

export interface Change {
  readonly before: ControlRegisters;
  readonly after: ControlRegisters;
  readonly instruction: ControlInstruction;
}

/** Which tables each PCID may have cached translations of, as far as it matters here. */
export class CachedRoots {
  private readonly roots = new Map<bigint, bigint>();

  constructor(registers: ControlRegisters) {
    this.clear(registers);
  }

  /** Nothing is cached; the current tables may be from now on. */
  clear({ cr3, cr4 }: ControlRegisters): void {
    this.roots.clear();
    this.roots.set(pcidOf(cr3, cr4), rootOf(cr3, cr4));
  }

  /** Whether a write that was not refused may leave something cached that no table says. */
  leavesStale({ before, after, instruction }: Change): boolean {
    if (instruction.kind !== "write") return false;
    switch (instruction.register) {
      case "cr0":
      case "cr4":
        // Loaded PDPTEs take effect although what came of the old ones is cached.
        return loadsPdptes(before, after) || has(before.cr4 ^ after.cr4, CR4.PSE | CR4.PAE);
      case "cr3":
        return this.leavesRoot(before, after, instruction.value);
      case "efer":
        return has(before.efer ^ after.efer, EFER.NXE);
      default:
        return false;
    }
  }

  private leavesRoot(before: ControlRegisters, { cr3, cr4 }: ControlRegisters, operand: bigint) {
    const pcid = pcidOf(cr3, cr4);
    const root = rootOf(cr3, cr4);
    const known = this.roots.get(pcid);
    this.roots.set(pcid, root);
    const isKept = has(cr4, CR4.PCIDE) && has(operand, NO_FLUSH);
    if (isKept && known !== undefined && known !== root) return true;
    // Global translations outlive the tables that they came from.
    const isSameTree = rootOf(before.cr3, cr4) === root && pagingMode(before) !== "PAE";
    return has(cr4, CR4.PGE) && !isSameTree;
  }
}

/** More bits than locate the tables of most modes: then two roots differ that are one. */
const rootOf = (cr3: bigint, cr4: bigint): bigint => cr3 & bits(51, has(cr4, CR4.PCIDE) ? 12 : 5);
const pcidOf = (cr3: bigint, cr4: bigint): bigint => (has(cr4, CR4.PCIDE) ? cr3 & bits(11, 0) : 0n);

export interface Flush {
  readonly features: PagingFeatures;
  /** Where something may be cached: all that was accessed. */
  readonly addresses: Iterable<bigint>;
  /** INVPCID rather than CR4.PGE where there is a choice. */
  readonly prefersInvpcid: boolean;
}

/**
 * Drops all that is cached of every PCID, global translations included, as the mode allows. All
 * engines are to have the same registers; they keep them.
 */
export function flushAll(engines: readonly OpenEngine[], flush: Flush): void {
  const { features, addresses, prefersInvpcid } = flush;
  const run = (instruction: ControlInstruction): boolean =>
    engines.map((engine) => engine.control(instruction) === undefined).every(Boolean);
  const all: ControlInstruction = { kind: "invpcid", type: 2n, pcid: 0n, address: 0n };
  if (prefersInvpcid && features.invpcid && run(all)) return;
  const { cr4 } = engines[0]!.registers;
  const toggled: ControlInstruction = { kind: "write", register: "cr4", value: cr4 ^ CR4.PGE };
  if (run(toggled) && run({ ...toggled, value: cr4 })) return;
  if (features.invpcid && run(all)) return;
  // A PDPTE that cannot be loaded refuses every other way; PAE paging has one PCID.
  for (const address of addresses) run({ kind: "invlpg", address });
}
