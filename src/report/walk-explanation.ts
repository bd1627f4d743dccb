// One walk of the machine, explained: what each entry said, what the path so far allows, where each
// load hit, and what came of it. Plain data, as `shootdown walk --json` prints it.

import type { Fault } from "../base/architecture.ts";
import type { AccessResult, MachineAccess } from "../machine/access.ts";
import type { MachineDescription } from "../machine/description.ts";
import { explainAccess } from "../machine/explain.ts";
import type { Machine } from "../machine/machine.ts";
import type { MachineWalk } from "../machine/walk-log.ts";
import { ENTRY, entryName, type Level, SHAPES } from "../reference/entry.ts";
import { type EntryBit, entryBits } from "../reference/entry-bits.ts";
import { pagingMode, type PagingMode, type Processor } from "../reference/registers.ts";
import { narrow, type Rights } from "../reference/rights.ts";

export interface ExplainedStep {
  readonly level: Level;
  /** "PML4E", "PDPTE", ... */
  readonly entry: string;
  readonly address: bigint;
  readonly value: bigint;
  readonly bits: readonly EntryBit[];
  /** What every entry so far allows. */
  readonly rights: Rights;
  readonly loadedFrom: "L1D" | "L2" | "LLC" | "memory";
  readonly cycles: number;
}

export interface WalkExplanation {
  readonly address: bigint;
  readonly access: Omit<MachineAccess, "address">;
  readonly mode: PagingMode;
  readonly cr3: bigint;
  /** Where the translation was, or that none was needed or found. */
  readonly source: string;
  /** Where the walk began: CR3, a PDPTE register, or the paging-structure cache that knew most. */
  readonly start?: string;
  readonly steps: readonly ExplainedStep[];
  readonly physical?: bigint;
  readonly secondPhysical?: bigint;
  readonly fault?: Fault;
  /** All that the access took; of a fault, up to it. */
  readonly cycles: number;
}

const SOURCES: Readonly<Record<"l1" | "l2" | "walk", string>> = {
  l1: "a first-level TLB has the translation",
  l2: "the second-level TLB has the translation",
  walk: "a page walk",
};

/** Makes the access on the machine, with all that it changes, and explains it. */
export function explainWalk(
  machine: Machine,
  core: number,
  access: MachineAccess,
): WalkExplanation {
  const registers = machine.registers(core);
  const processor = { features: machine.description.paging, registers, pdptes: [] };
  const mode = pagingMode(registers);
  const before = machine.now(core);
  const { result, walk } = explainAccess(machine, core, access);
  const { address, ...how } = access;
  return {
    address,
    access: how,
    mode,
    cr3: registers.cr3,
    source: sourceOf(mode, result, walk),
    ...(walk && { start: startOf(mode, walk) }),
    steps: walk === undefined ? [] : stepsOf(processor, machine.description, walk),
    ...(result.fault === undefined
      ? {
          physical: result.physical,
          ...(result.secondPhysical !== undefined && { secondPhysical: result.secondPhysical }),
        }
      : { fault: result.fault }),
    cycles: machine.now(core) - before,
  };
}

function sourceOf(mode: PagingMode, result: AccessResult, walk: MachineWalk | undefined): string {
  if (mode === "none") return "paging is off: linear addresses are physical addresses";
  if (walk !== undefined) return SOURCES.walk;
  if (result.fault === undefined) return SOURCES[result.source];
  return result.fault.vector === 14
    ? "a TLB has the translation, and refuses"
    : "the address is not canonical: no translation is looked for";
}

const CACHES: Readonly<Record<number, string>> = {
  1: "the PDE cache",
  2: "the PDPTE cache",
  3: "the PML4E cache",
  4: "the PML5E cache",
};

function startOf(mode: PagingMode, { startLevel }: MachineWalk): string {
  const top = SHAPES[mode].levels[0]!;
  if (mode === "PAE" && startLevel !== 1) return "a PDPTE register";
  return startLevel === top ? "CR3" : CACHES[startLevel]!;
}

function stepsOf(
  processor: Processor,
  description: MachineDescription,
  { startRights, steps }: MachineWalk,
): ExplainedStep[] {
  let rights = startRights;
  return steps.map(({ level, address, value, cycles }) => {
    if ((value & ENTRY.P) !== 0n) rights = narrow(rights, value);
    const bits = entryBits(processor, level as Level, value);
    const entry = entryName(level as Level);
    const loadedFrom = loadedFromOf(description, cycles);
    return { level: level as Level, entry, address, value, bits, rights, loadedFrom, cycles };
  });
}

/** By the latency: the nearest cache that has it. */
function loadedFromOf(
  { l1d, l2, llc }: MachineDescription,
  cycles: number,
): ExplainedStep["loadedFrom"] {
  if (cycles === l1d.latencyCycles) return "L1D";
  if (cycles === l2.latencyCycles) return "L2";
  return cycles === llc.latencyCycles ? "LLC" : "memory";
}
