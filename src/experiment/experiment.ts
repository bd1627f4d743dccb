// What an experiment is: one or more matrices of axes x workloads, each run with some seeds.
// Definitions come from the built-in ones, from a YAML or JSON file, or from a library call.

import { BadInput, readName } from "../base/bad-input.ts";
import { type Brought, BUILT_IN, type Catalogue } from "../catalogue/catalogue.ts";
import type { Workload } from "../workloads/workload.ts";
import { askedAxes, type AxisValues, readSetting, type Setting } from "./settings.ts";

/** One matrix: every workload and trace under every combination of the axes. */
export interface ExperimentPart {
  /** Names; in a call of the library, workloads of one's own as well. */
  readonly workloads?: readonly (string | Workload)[];
  /** Recorded traces to replay: paths, or names of the samples that come with the package. */
  readonly traces?: readonly string[];
  readonly axes?: AxisValues;
}

/**
 * A part's axes are put over the experiment's own; without parts the experiment is one matrix. What
 * is brought in (`protocols` and so on) is what runs, unless the axis says otherwise.
 */
export interface ExperimentDefinition extends ExperimentPart, Brought {
  readonly name?: string;
  readonly title?: string;
  /** Runs per configuration, each with a seed of its own. */
  readonly seeds?: number;
  readonly parts?: readonly ExperimentPart[];
}

export type NamedExperiment = ExperimentDefinition & { readonly name: string };

export interface CheckedPart {
  readonly workloads: readonly string[];
  readonly traces: readonly string[];
  readonly settings: readonly Setting[];
}

/** A definition after every name and value in it was read. */
export interface CheckedExperiment {
  readonly name: string;
  readonly title: string;
  readonly seeds: number;
  readonly parts: readonly CheckedPart[];
}

export const MAX_SEEDS = 1000;

const PART_KEYS = ["workloads", "traces", "axes"];
const EXPERIMENT_KEYS = ["name", "title", "seeds", "parts", ...PART_KEYS];

interface ReadOptions {
  /** What it is called where the definition does not say. */
  readonly name?: string;
  readonly catalogue?: Catalogue;
}

/** Checks a definition; `origin` is the file it came from, or "experiment". */
export function readExperiment(
  value: unknown,
  origin: string,
  { name, catalogue = BUILT_IN }: ReadOptions = {},
): CheckedExperiment {
  const map = readMap(value, origin, EXPERIMENT_KEYS);
  const at = (key: string): string => `${origin}: ${key}`;
  const own = readPart(map, at, catalogue);
  const parts = readList(map["parts"], at("parts")).map((part, index) => {
    const atPart = (key: string): string => at(`parts[${index}]${key === "" ? "" : `.${key}`}`);
    return overlay(own, readPart(readMap(part, atPart(""), PART_KEYS), atPart, catalogue));
  });
  const all = parts.length === 0 ? [own] : parts;
  for (const [index, part] of all.entries()) {
    if (part.workloads.length + part.traces.length > 0) continue;
    const where = parts.length === 0 ? "workloads" : `parts[${index}].workloads`;
    throw new BadInput(
      at(where),
      undefined,
      `a list of ${[...catalogue.workloads.keys()].join(", ")}`,
    );
  }
  const ownName = readText(map["name"], at("name")) ?? name ?? "experiment";
  return {
    name: ownName,
    title: readText(map["title"], at("title")) ?? ownName,
    seeds: map["seeds"] === undefined ? 1 : readCount(map["seeds"], at("seeds"), MAX_SEEDS),
    parts: all,
  };
}

/** A whole number of 1 to `most`, from a file or a command line. */
export function readCount(value: unknown, path: string, most: number): number {
  const text = spelled(value);
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new BadInput(path, value, `a whole number of 1 to ${most}`);
}

/** A number, or its text; a list of one number is neither. */
const spelled = (value: unknown): string =>
  typeof value === "number" || typeof value === "string" ? String(value) : "";

/** A seed: any whole number of 32 bits. */
export function readSeed(value: unknown, path: string): number {
  const text = spelled(value);
  if (/^\d+$/.test(text) && Number(text) <= 0xffff_ffff) return Number(text);
  throw new BadInput(path, value, "a whole number of 0 to 4294967295");
}

function readWorkload(value: unknown, path: string, { workloads }: Catalogue): string {
  if (value === "replay") throw new BadInput(path, value, "name the traces: under `traces`");
  return readName(path, value, [...workloads.keys()]);
}

function readPart(
  map: Record<string, unknown>,
  at: (key: string) => string,
  catalogue: Catalogue,
): CheckedPart {
  return {
    workloads: readList(map["workloads"], at("workloads")).map((name, index) =>
      readWorkload(name, at(`workloads[${index}]`), catalogue),
    ),
    traces: readList(map["traces"], at("traces")).map((trace, index) => {
      if (typeof trace === "string" && trace !== "") return trace;
      throw new BadInput(at(`traces[${index}]`), trace, "the path of a recorded trace");
    }),
    settings:
      map["axes"] === undefined
        ? []
        : askedAxes(map["axes"], at("axes")).map((asked) => readSetting(asked, catalogue)),
  };
}

function overlay(own: CheckedPart, part: CheckedPart): CheckedPart {
  const named = part.workloads.length + part.traces.length > 0;
  const { workloads, traces } = named ? part : own;
  return { workloads, traces, settings: overlaySettings(own.settings, part.settings) };
}

/** `over` replaces the values of every axis that it names; of one axis twice, the last counts. */
export function overlaySettings(
  under: readonly Setting[],
  over: readonly Setting[],
): readonly Setting[] {
  return [...new Map([...under, ...over].map((setting) => [setting.axis, setting])).values()];
}

function readMap(value: unknown, path: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadInput(path, value, `write a map with ${keys.join(", ")}`);
  }
  for (const key of Object.keys(value)) readName(path, key, keys);
  return value as Record<string, unknown>;
}

function readList(value: unknown, path: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [value];
  if (value.length === 0) throw new BadInput(path, value, "give at least one, or leave it out");
  return value;
}

function readText(value: unknown, path: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new BadInput(path, value, "write a text");
}
