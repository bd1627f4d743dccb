// A preset as a flat list of its numbers, each with its source: what `shootdown presets NAME`
// prints.

import type { Preset, PresetTlbArray, Sourced, Unit } from "./preset.ts";

export interface PresetEntry {
  /** The path inside the preset: "tlb.secondLevelData[4K,2M].entries". */
  readonly key: string;
  readonly value: number | boolean | string;
  readonly unit?: Unit;
  readonly source: string;
  readonly estimate: boolean;
}

/** Every sourced value of the preset, in the order of its file. */
export function presetListing(preset: Preset): readonly PresetEntry[] {
  return entriesUnder("", preset);
}

function entriesUnder(path: string, node: unknown): PresetEntry[] {
  if (typeof node !== "object" || node === null) return [];
  if (isSourced(node)) return [entryOf(path, node)];
  return Object.entries(node).flatMap(([key, child]) =>
    isTlbArrays(child)
      ? child.flatMap((array) => entriesUnder(`${join(path, key)}[${array.pageSizes}]`, array))
      : entriesUnder(join(path, key), child),
  );
}

const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

const isTlbArrays = (node: unknown): node is readonly PresetTlbArray[] =>
  Array.isArray(node) && node.every((item) => typeof item === "object");

const isSourced = (node: object): node is Sourced<number | boolean | string> =>
  "source" in node && "value" in node;

const entryOf = (key: string, sourced: Sourced<number | boolean | string>): PresetEntry => ({
  key,
  value: sourced.value,
  ...(sourced.unit === undefined ? {} : { unit: sourced.unit }),
  source: sourced.source,
  estimate: sourced.estimate === true,
});
