// The presets by name. Adding one: its file, a line here, a row in docs/presets.md.

import { readName } from "../base/bad-input.ts";
import { haswellEp } from "./haswell-ep.ts";
import { milan } from "./milan.ts";
import type { Preset } from "./preset.ts";
import { rome } from "./rome.ts";
import { skylakeSp } from "./skylake-sp.ts";

export const PRESET_NAMES = ["skylake-sp", "haswell-ep", "rome", "milan"] as const;

export type PresetName = (typeof PRESET_NAMES)[number];

export const presets: Readonly<Record<PresetName, Preset>> = {
  "skylake-sp": skylakeSp,
  "haswell-ep": haswellEp,
  rome,
  milan,
};

export const presetNamed = (name: string): Preset => presets[readName("cpu", name, PRESET_NAMES)];
