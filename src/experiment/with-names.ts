// Code from outside, wherever an experiment names it: a file where a name could stand, or, in a
// call of the library, the thing itself. What comes out has names alone.

import { BadInput } from "../base/bad-input.ts";
import type { Brought, EntryKind } from "../catalogue/catalogue.ts";
import type { BringingIn } from "../catalogue/bring-in.ts";
import { isCodeFile } from "../catalogue/code-file.ts";
import { AXES } from "./axes.ts";
import type { ConfigurationAxis } from "./configuration.ts";
import { type AskedSetting, askedAxes } from "./settings.ts";

/** The axis whose values are names of a kind. Workloads are on none. */
const AXIS_OF = {
  protocols: "protocol",
  policies: "lazyTlb",
  mutations: "mutation",
  cpus: "cpu",
} as const satisfies Partial<Record<EntryKind, ConfigurationAxis>>;

/** The keys under which a definition or a call brings something in. */
const OWN_KEYS = [...Object.keys(AXIS_OF), "checkers"] as const;

/** Where the files of a definition are looked for. */
type Find = (file: string) => string;

const isThing = (value: unknown): boolean => typeof value === "object" && value !== null;

/** The names that one value stands for: its own, those of a file, or that of the thing itself. */
async function namesOf(
  bringing: BringingIn,
  kind: EntryKind | "checkers",
  { value, path }: { readonly value: unknown; readonly path: string },
  find: Find,
): Promise<readonly unknown[]> {
  if (isThing(value)) return [bringing.value(kind, value, path)];
  if (typeof value !== "string" || !isCodeFile(value)) return [value];
  return bringing.namesIn(find(value), kind, path);
}

/** What may stand for several names, and where it was read. */
type Place = AskedSetting["values"][number];

/** The names that each of these stands for, in order, at the path of what stood for it. */
async function namesOfEach(
  bringing: BringingIn,
  kind: EntryKind | "checkers",
  places: readonly Place[],
  find: Find,
): Promise<readonly Place[]> {
  const named: Place[] = [];
  for (const place of places) {
    const names = await namesOf(bringing, kind, place, find);
    named.push(...names.map((value) => ({ ...place, value })));
  }
  return named;
}

/** The names of workloads, each given by its name, in a file, or as the thing itself. */
export async function workloadsWithNames(
  bringing: BringingIn,
  given: unknown,
  path: string,
  find: Find = (file) => file,
): Promise<readonly string[]> {
  const values: readonly unknown[] = Array.isArray(given) ? given : [given];
  const places = values.map((value, index) => ({ value, path: `${path}[${index}]` }));
  const named = await namesOfEach(bringing, "workloads", places, find);
  return named.map(valueOf) as readonly string[];
}

/** The setting with a name for each file and thing in it. */
export async function withNames(
  bringing: BringingIn,
  { axis, values, path }: AskedSetting,
  find: Find = (file) => file,
): Promise<AskedSetting> {
  const { kind } = AXES[axis];
  if (kind === undefined) return { axis, values, path };
  return { axis, values: await namesOfEach(bringing, kind, values, find), path };
}

/** What is brought in under keys of its own: the settings that choose it, unless others do. */
export async function broughtIn(
  bringing: BringingIn,
  from: Brought,
  path: string,
  find: Find = (file) => file,
): Promise<readonly AskedSetting[]> {
  const settings: AskedSetting[] = [];
  for (const key of OWN_KEYS) {
    const kind = key as Exclude<EntryKind, "workloads"> | "checkers";
    const given: unknown = from[kind];
    if (given === undefined) continue;
    const at = `${path}${kind}`;
    if (kind !== "checkers" && Array.isArray(given) && given.length === 0) {
      throw new BadInput(at, given, "give at least one, or leave it out");
    }
    const values = (Array.isArray(given) ? given : [given]).map((value: unknown, index) => {
      const place = { value, path: Array.isArray(given) ? `${at}[${index}]` : at };
      if (isThing(value) || (typeof value === "string" && isCodeFile(value))) return place;
      throw new BadInput(place.path, value, "give a file, or the thing itself");
    });
    const names = await namesOfEach(bringing, kind, values, find);
    if (kind !== "checkers") {
      settings.push({ axis: AXIS_OF[kind], values: names, path: at });
    }
  }
  return settings;
}

type Tree = Readonly<Record<string, unknown>>;

/** A definition in which everything from outside stands by its name. */
export async function definitionWithNames(
  bringing: BringingIn,
  definition: unknown,
  origin: string,
  find: Find = (file) => file,
): Promise<unknown> {
  if (typeof definition !== "object" || definition === null || Array.isArray(definition)) {
    return definition;
  }
  const { parts, ...own } = definition as Tree;
  const named = await partWithNames(bringing, own, `${origin}: `, find);
  if (!Array.isArray(parts)) return parts === undefined ? named : { ...named, parts };
  const namedParts: unknown[] = [];
  for (const [index, part] of parts.entries()) {
    const isPart = typeof part === "object" && part !== null && !Array.isArray(part);
    const at = `${origin}: parts[${index}].`;
    namedParts.push(isPart ? await partWithNames(bringing, part as Tree, at, find) : part);
  }
  return { ...named, parts: namedParts };
}

async function partWithNames(
  bringing: BringingIn,
  part: Tree,
  at: string,
  find: Find,
): Promise<Tree> {
  const named: Record<string, unknown> = { ...part };
  for (const key of OWN_KEYS) delete named[key];
  const chosen = await broughtIn(bringing, part as Brought, at, find);
  const axes: Record<string, unknown> = {};
  for (const { axis, values } of chosen) axes[axis] = values.map(({ value }) => value);
  if (part["axes"] !== undefined) {
    for (const asked of askedAxes(part["axes"], `${at}axes`)) {
      const { axis, values } = await withNames(bringing, asked, find);
      const given = (part["axes"] as Tree)[axis];
      axes[axis] =
        Array.isArray(given) || values.length !== 1 ? values.map(valueOf) : valueOf(values[0]!);
    }
  }
  if (Object.keys(axes).length > 0) named["axes"] = axes;
  if (part["workloads"] !== undefined) {
    named["workloads"] = await workloadsWithNames(
      bringing,
      part["workloads"],
      `${at}workloads`,
      find,
    );
  }
  return named;
}

const valueOf = ({ value }: { readonly value: unknown }): unknown => value;
