// The machines that random programs are run on: both shapes of TLB as they are, and shrunk to a few
// entries, so that short programs evict from every array.

import { machineEngine } from "../../machine/engine.ts";
import type { MachineDescription, TlbArrayDescription } from "../../machine/description.ts";
import { describeMachine } from "../../presets/describe.ts";
import { presetNamed } from "../../presets/presets.ts";
import type { BootOpenEngine } from "./random-program.ts";

export interface NamedEngine {
  readonly name: string;
  readonly boot: BootOpenEngine;
}

const FEW = 4;
const FEW_SETS = 2;
const FEW_STRUCTURES = 2;

/** Of the same ways and policy; fully associative ones stay so. */
function smallArray(array: TlbArrayDescription): TlbArrayDescription {
  const { entries, ways } = array;
  if (entries === ways) {
    const few = Math.min(ways, FEW);
    return { ...array, entries: few, ways: few };
  }
  return { ...array, entries: Math.min(entries, ways * FEW_SETS) };
}

function small(machine: MachineDescription): MachineDescription {
  const { tlb, structureCaches } = machine;
  const { secondLevelInstruction: second } = tlb;
  const few = (entries: number): number => Math.min(entries, FEW_STRUCTURES);
  return {
    ...machine,
    tlb: {
      ...tlb,
      firstLevelInstruction: tlb.firstLevelInstruction.map(smallArray),
      firstLevelData: tlb.firstLevelData.map(smallArray),
      secondLevelInstruction: second === "shared" ? second : second.map(smallArray),
      secondLevelData: tlb.secondLevelData.map(smallArray),
    },
    structureCaches: {
      pml5e: FEW_STRUCTURES,
      pml4e: few(structureCaches.pml4e),
      pdpte: few(structureCaches.pdpte),
      pde: few(structureCaches.pde),
    },
  };
}

const skylake = describeMachine(presetNamed("skylake-sp"), { cores: 1 });
const rome = describeMachine(presetNamed("rome"), { cores: 1 });

export const ENGINES: readonly NamedEngine[] = [
  { name: "skylake-sp", boot: machineEngine(skylake) },
  { name: "rome", boot: machineEngine(rome) },
  { name: "skylake-sp with small arrays", boot: machineEngine(small(skylake)) },
  { name: "rome with small arrays", boot: machineEngine(small(rome)) },
];
