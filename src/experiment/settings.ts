// Axis values that somebody asked for: `--set AXIS=VALUE[,VALUE]`, or the axes of a library call.

import { BadInput, readName } from "../base/bad-input.ts";
import { AXIS_NAMES, readAxisValue } from "./axes.ts";
import type { Configuration, ConfigurationAxis } from "./configuration.ts";

/** By axis a value, or several. */
export type AxisValues = {
  readonly [A in ConfigurationAxis]?: Configuration[A] | readonly Configuration[A][];
};

/** The values of one axis, and where they were asked for. */
export interface Setting {
  readonly axis: ConfigurationAxis;
  readonly values: readonly (string | number | boolean)[];
  readonly path: string;
}

/** Reads one `AXIS=VALUE[,VALUE]` of the command line. */
export function parseSetting(text: string): Setting {
  const path = `--set ${text}`;
  const split = text.indexOf("=");
  if (split < 1) throw new BadInput("--set", text, "write AXIS=VALUE[,VALUE], as in cores=2,28");
  const axis = readName(path, text.slice(0, split).trim(), AXIS_NAMES);
  return readSetting(axis, text.slice(split + 1), path);
}

/** Reads the `VALUE[,VALUE]` of one axis. */
export function readSetting(axis: ConfigurationAxis, text: string, path: string): Setting {
  const values = text.split(",").map((word) => readAxisValue(axis, word, path));
  return { axis, values: distinct(values), path };
}

/** Reads the axes of a file or of a library call: each a value or a list of values. */
export function readAxes(axes: unknown, path: string): readonly Setting[] {
  if (typeof axes !== "object" || axes === null || Array.isArray(axes)) {
    throw new BadInput(path, axes, "write axes as a map, as in {cores: [2, 28]}");
  }
  return Object.entries(axes).map(([name, value]) => {
    const axis = readName(path, name, AXIS_NAMES);
    const at = `${path}.${axis}`;
    if (!Array.isArray(value)) return { axis, values: [readAxisValue(axis, value, at)], path: at };
    if (value.length === 0) throw new BadInput(at, value, "give at least one value");
    const values = value.map((one, index) => readAxisValue(axis, one, `${at}[${index}]`));
    return { axis, values: distinct(values), path: at };
  });
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
