// Scenarios from a file that somebody wrote: TypeScript or JavaScript, whose named exports they
// are. It imports what it needs from "shootdown", which is the very package that runs here.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createJiti } from "jiti";
import { BadInput, remedyForName } from "../../base/bad-input.ts";
import { LAZY_POLICY_NAMES } from "../../kernel/lazy/policies.ts";
import { PROTOCOL_NAMES } from "../../kernel/shootdown/protocols.ts";
import { PROCESSES_PER_CPU } from "../execution/processes.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIO_NAMES } from "./scenarios.ts";

/** The processes of a search are the bits of a number. */
const MAX_CPUS = Math.floor(31 / PROCESSES_PER_CPU);

const SENTENCE = "one sentence";
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Whether a word of the command line is meant as such a file, not as a name. */
export const isScenarioFile = (word: string): boolean =>
  /[\\/]/.test(word) || /\.[cm]?[jt]s$/.test(word);

/** By path, for as long as the thread lives. */
const loaded = new Map<string, Promise<readonly Scenario[]>>();

/** The scenarios that a file exports, in the order of their export. Bad input if it has none. */
export function loadScenarios(path: string): Promise<readonly Scenario[]> {
  let scenarios = loaded.get(path);
  if (scenarios === undefined) {
    scenarios = load(path);
    loaded.set(path, scenarios);
  }
  return scenarios;
}

async function load(path: string): Promise<readonly Scenario[]> {
  if (!existsSync(path)) throw new BadInput("SCENARIO", path, "no such file; give one that is");
  const exported = Object.values(await evaluate(path));
  const scenarios = exported.filter((value) => isObject(value) && "prepare" in value);
  if (scenarios.length === 0) {
    throw new BadInput("SCENARIO", path, "exports no scenario: an object with name and prepare");
  }
  const names = new Set<string>(SCENARIO_NAMES);
  for (const scenario of scenarios as Scenario[]) {
    check(path, scenario, names);
    names.add(scenario.name);
  }
  return scenarios as Scenario[];
}

/**
 * Runs the file. "shootdown" is resolved to the package under its own name, which is a layer above
 * this file, and not to a copy that may be installed beside the scenario: its constants are told
 * apart by identity.
 */
async function evaluate(path: string): Promise<object> {
  const shootdown: unknown = await import(import.meta.resolve("shootdown"));
  const jiti = createJiti(import.meta.url, { fsCache: false, virtualModules: { shootdown } });
  try {
    return await jiti.import<object>(resolve(path));
  } catch (error) {
    throw new BadInput("SCENARIO", path, `cannot be loaded: ${inOneLine(error)}`);
  }
}

function check(path: string, scenario: Scenario, taken: ReadonlySet<string>): void {
  const { name, summary, cpus, prepare, protocols = [], breaks = [] } = scenario;
  const refuse = (key: string, value: unknown, remedy: string): never => {
    throw new BadInput(`${path}: ${key}`, value, remedy);
  };
  if (typeof name !== "string" || !NAME.test(name)) refuse("name", name, "words, with - between");
  if (taken.has(name)) refuse("name", name, "is the name of another scenario; take a new one");
  if (typeof summary !== "string") refuse(`${name}.summary`, summary, SENTENCE);
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > MAX_CPUS) {
    refuse(`${name}.cpus`, cpus, `a whole number from 1 to ${MAX_CPUS}`);
  }
  if (typeof prepare !== "function") refuse(`${name}.prepare`, prepare, "a function of the stage");
  const oneOf = (key: string, values: readonly string[], names: readonly string[]): void => {
    const wrong = values.find((value) => !names.includes(value));
    if (wrong !== undefined) refuse(`${name}.${key}`, wrong, remedyForName(wrong, names));
  };
  oneOf("protocols", protocols, PROTOCOL_NAMES);
  for (const each of breaks) {
    oneOf("breaks.policies", each.policies ?? [], LAZY_POLICY_NAMES);
    oneOf("breaks.protocols", each.protocols ?? [], PROTOCOL_NAMES);
    if (typeof each.reason !== "string") refuse(`${name}.breaks.reason`, each.reason, SENTENCE);
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** What went wrong in code that somebody wrote, in one line. */
export function inOneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("Require stack:")[0]!.replaceAll(/\s+/g, " ").trim();
}
