// What a core has done, as a plain object.

import type { MachineInstance } from "./wasm.ts";

export interface Counters {
  /** One that crosses a page counts twice. */
  readonly accesses: number;
  readonly l1Hits: number;
  readonly l2Hits: number;
  readonly walks: number;
  readonly walkCycles: number;
  readonly walkLoads: number;
  /** Walks only to set D for a cached translation; they are among `walks`. */
  readonly dirtyWalks: number;
  readonly faults: number;
  readonly staleUses: number;
  readonly cr3Writes: number;
  readonly cr3Flushes: number;
  readonly cr4Writes: number;
  readonly invlpgs: number;
  readonly invpcids: number;
  readonly invlpgbs: number;
  readonly ipisSent: number;
  readonly interruptsTaken: number;
  readonly lineTransfers: number;
  readonly lineWaitCycles: number;
  readonly drainWaitCycles: number;
}

export function readCounters(instance: MachineInstance, core: number): Counters {
  const read = (name: string): number =>
    instance.functions.counter(core, instance.constant(`COUNTER_${name}`));
  const accesses = read("ACCESSES");
  const l2Hits = read("SECOND_LEVEL_HITS");
  const walks = read("WALKS");
  return {
    accesses,
    l1Hits: accesses - l2Hits - walks,
    l2Hits,
    walks,
    walkCycles: read("WALK_CYCLES"),
    walkLoads: read("WALK_LOADS"),
    dirtyWalks: read("DIRTY_WALKS"),
    faults: read("FAULTS"),
    staleUses: read("STALE_USES"),
    cr3Writes: read("CR3_WRITES"),
    cr3Flushes: read("CR3_FLUSHES"),
    cr4Writes: read("CR4_WRITES"),
    invlpgs: read("INVLPGS"),
    invpcids: read("INVPCIDS"),
    invlpgbs: read("INVLPGBS"),
    ipisSent: read("IPIS_SENT"),
    interruptsTaken: read("INTERRUPTS_TAKEN"),
    lineTransfers: read("LINE_TRANSFERS"),
    lineWaitCycles: read("LINE_WAIT_CYCLES"),
    drainWaitCycles: read("DRAIN_WAIT_CYCLES"),
  };
}
