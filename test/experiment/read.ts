// Settings and experiments as the command line and files write them, read with the package's names.

import { type CheckedExperiment, readExperiment } from "../../src/experiment/experiment.ts";
import { findExperiment } from "../../src/experiment/load.ts";
import {
  askedAxes,
  askedSetting,
  readSetting,
  type Setting,
} from "../../src/experiment/settings.ts";

export const parseSetting = (text: string): Setting => readSetting(askedSetting(text));

export const readAxes = (axes: unknown, path: string): readonly Setting[] =>
  askedAxes(axes, path).map((asked) => readSetting(asked));

export function loadExperiment(nameOrPath: string): CheckedExperiment {
  const { definition, origin, name, findTrace } = findExperiment(nameOrPath);
  const checked = readExperiment(definition, origin, { name });
  const parts = checked.parts.map((part) => ({ ...part, traces: part.traces.map(findTrace) }));
  return { ...checked, parts };
}
