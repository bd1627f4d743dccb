// The machine under exploration: the preset's instructions and paging, with TLBs just large enough
// that nothing is evicted (losing an entry is a choice of the search), and hardly a cache, since
// there is no time: what there is has to be restored before every execution.

import type { MachineDescription, TlbArrayDescription } from "../../machine/description.ts";
import { describeMachine } from "../../presets/describe.ts";
import { presetNamed } from "../../presets/presets.ts";

const tlbArray = (entries: number): TlbArrayDescription => ({
  entries,
  ways: entries,
  pageSizes: ["4K", "2M", "1G"],
  replacement: "lru",
  index: "linear",
});

const CACHE = { sizeBytes: 4096, ways: 1 } as const;

/** @param broadcasts - Whether there is to be INVLPGB. */
export function explorerMachine(cores: number, broadcasts: boolean): MachineDescription {
  const preset = describeMachine(presetNamed(broadcasts ? "milan" : "skylake-sp"), { cores });
  return {
    ...preset,
    tlb: {
      ...preset.tlb,
      firstLevelInstruction: [tlbArray(8)],
      firstLevelData: [tlbArray(8)],
      secondLevelInstruction: "shared",
      secondLevelData: [tlbArray(64)],
    },
    structureCaches: { pml5e: 0, pml4e: 8, pdpte: 8, pde: 8 },
    l1d: { ...preset.l1d, ...CACHE },
    l2: { ...preset.l2, ...CACHE },
    llc: { ...preset.llc, ...CACHE },
  };
}
