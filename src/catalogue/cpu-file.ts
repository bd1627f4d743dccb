// A CPU of somebody's own, from a YAML or JSON file: one of the package's presets with changes. A
// number may stand alone, or with its source and unit as the presets have it.

import { basename, extname } from "node:path";
import { BadInput, readName } from "../base/bad-input.ts";
import { readTextFile } from "../base/text-file.ts";
import { parseYaml } from "../base/yaml.ts";
import { Machine } from "../machine/machine.ts";
import { describeMachine } from "../presets/describe.ts";
import type { Preset } from "../presets/preset.ts";
import { type Catalogue, checkName, entryIn } from "./catalogue.ts";

type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSourced = (value: unknown): value is Tree & { readonly value: unknown } =>
  isTree(value) && "value" in value && "source" in value;

/** The CPU in the file: `base` names the preset that it changes, `name` what it is called. */
export function loadCpu(path: string, catalogue: Catalogue): Preset {
  const document = parseYaml(readTextFile(path, "a CPU's YAML or JSON file"), path);
  if (!isTree(document)) {
    throw new BadInput(path, document, "write a map: base, and what differs from it");
  }
  const { name = basename(path, extname(path)), base, ...changes } = document;
  checkName(name, path);
  if (typeof base !== "string") {
    const names = [...catalogue.cpus.keys()].join(", ");
    throw new BadInput(`${path}: base`, base, `the preset that it changes: one of ${names}`);
  }
  const preset = entryIn(catalogue, "cpus", base, `${path}: base`);
  return describable({ ...(changed(preset, changes, path, "") as Preset), name }, path);
}

/** The CPU, of which a machine was made to see that it can be; bad input at `path` where not. */
export function describable(cpu: Preset, path: string): Preset {
  try {
    new Machine(describeMachine(cpu, { cores: 1, idle: "poll", x2apic: true }));
    return cpu;
  } catch (error) {
    if (error instanceof BadInput) {
      throw new BadInput(`${path}: ${error.path}`, error.value, error.remedy);
    }
    const remedy = `is no CPU: ${(error as Error).message}; spread one of \`presets\``;
    throw new BadInput(path, cpu.name, remedy);
  }
}

/** `base` with `change` in place of what it names. `at` is the way to it. */
function changed(base: unknown, change: unknown, path: string, at: string): unknown {
  const where = `${path}: ${at}`;
  if (isSourced(base)) return sourced(base, change, path, at);
  if (Array.isArray(base)) return changedList(base, change, path, at);
  if (!isTree(base)) {
    if (typeof change === typeof base) return change;
    throw new BadInput(where, change, `as in the base: ${JSON.stringify(base)}`);
  }
  if (!isTree(change)) {
    throw new BadInput(where, change, `write a map of ${Object.keys(base).join(", ")}`);
  }
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) {
    const inner = at === "" ? key : `${at}.${key}`;
    readName(`${path}: ${inner}`, key, Object.keys(base));
    result[key] = changed(base[key], value, path, inner);
  }
  return result;
}

/** Each element changes the one of the base at its place, the last one where there are more. */
function changedList(base: readonly unknown[], change: unknown, path: string, at: string): unknown {
  if (!Array.isArray(change)) throw new BadInput(`${path}: ${at}`, change, "write a list");
  if (typeof base[0] === "string") return change;
  return change.map((one: unknown, index) =>
    changed(base[Math.min(index, base.length - 1)], one, path, `${at}[${index}]`),
  );
}

function sourced(
  base: Tree & { readonly value: unknown },
  change: unknown,
  path: string,
  at: string,
): unknown {
  const { estimate: _estimate, ...kept } = base;
  const given: Tree = isTree(change) ? change : { value: change, source: path };
  for (const key of Object.keys(given)) {
    if (["value", "source", "unit", "estimate"].includes(key)) continue;
    throw new BadInput(`${path}: ${at}.${key}`, key, "value, source, unit or estimate");
  }
  if (typeof given["value"] !== typeof base.value) {
    const remedy = `a ${typeof base.value}, as ${JSON.stringify(base.value)} in the base`;
    throw new BadInput(`${path}: ${at}`, given["value"], remedy);
  }
  return { ...kept, source: path, ...given };
}
