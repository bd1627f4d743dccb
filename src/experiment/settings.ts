// Axis values that somebody asked for: `--set AXIS=VALUE[,VALUE]`, or the axes of a library call.

import { BadInput, readName } from "../base/bad-input.ts";
import { BUILT_IN, type Catalogue, type Entries } from "../catalogue/catalogue.ts";
import { AXIS_NAMES, readAxisValue } from "./axes.ts";
import type { Configuration, ConfigurationAxis } from "./configuration.ts";

/** What may stand for a value: on an axis of names, the thing itself, for calls of the library. */
type Value<A extends ConfigurationAxis> =
  Configuration[A] | (A extends keyof ThingOn ? ThingOn[A] : never);

interface ThingOn {
  readonly protocol: Entries["protocols"];
  readonly lazyTlb: Entries["policies"];
  readonly mutation: Entries["mutations"];
  readonly cpu: Entries["cpus"];
}

/** By axis a value, or several. */
export type AxisValues = {
  readonly [A in ConfigurationAxis]?: Value<A> | readonly Value<A>[];
};

/** The values of one axis, and where they were asked for. */
export interface Setting {
  readonly axis: ConfigurationAxis;
  readonly values: readonly (string | number | boolean)[];
  readonly path: string;
}

/** The same, not yet read: each with the place to name where it is wrong. */
export interface AskedSetting {
  readonly axis: ConfigurationAxis;
  readonly values: readonly { readonly value: unknown; readonly path: string }[];
  readonly path: string;
}

/** One `AXIS=VALUE[,VALUE]` of the command line. */
export function askedSetting(text: string): AskedSetting {
  const path = `--set ${text}`;
  const split = text.indexOf("=");
  if (split < 1) throw new BadInput("--set", text, "write AXIS=VALUE[,VALUE], as in cores=2,28");
  const axis = readName(path, text.slice(0, split).trim(), AXIS_NAMES);
  return askedValues(axis, text.slice(split + 1), path);
}

/** The `VALUE[,VALUE]` of one axis. */
export function askedValues(axis: ConfigurationAxis, text: string, path: string): AskedSetting {
  return { axis, values: text.split(",").map((value) => ({ value: value.trim(), path })), path };
}

/** The axes of a file or of a library call: each a value or a list of values. */
export function askedAxes(axes: unknown, path: string): readonly AskedSetting[] {
  if (typeof axes !== "object" || axes === null || Array.isArray(axes)) {
    throw new BadInput(path, axes, "write axes as a map, as in {cores: [2, 28]}");
  }
  return Object.entries(axes).map(([name, value]: [string, unknown]) => {
    const axis = readName(path, name, AXIS_NAMES);
    const at = `${path}.${axis}`;
    if (!Array.isArray(value)) return { axis, values: [{ value, path: at }], path: at };
    if (value.length === 0) throw new BadInput(at, value, "give at least one value");
    const values = value.map((one: unknown, index) => ({ value: one, path: `${at}[${index}]` }));
    return { axis, values, path: at };
  });
}

export function readSetting(
  { axis, values, path }: AskedSetting,
  catalogue: Catalogue = BUILT_IN,
): Setting {
  const read = values.map((one) => readAxisValue(axis, one.value, one.path, catalogue));
  return { axis, values: [...new Set(read)], path };
}
