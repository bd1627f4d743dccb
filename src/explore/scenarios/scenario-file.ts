// Scenarios from a file that somebody wrote: TypeScript or JavaScript, whose named exports they
// are.

import { BadInput, refuseUnknownKeys } from "../../base/bad-input.ts";
import { type Check, choice, flag, onlyFields, optional } from "../../base/input.ts";
import { blamedOn, CODE_FILES, type CodeFiles } from "../../catalogue/code-file.ts";
import { MUTATION_NAMES } from "../../kernel/operation/mutation.ts";
import { type KernelOptions, X2APIC_MODES } from "../../kernel/state/kernel-options.ts";
import { checkCount } from "../search/bounds.ts";
import { PROCESSES_PER_CPU } from "../execution/processes.ts";
import type { Break } from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIO_NAMES } from "./scenarios.ts";

/** The processes of a search are the bits of a number. */
export const MAX_CPUS = Math.floor(31 / PROCESSES_PER_CPU);

const SENTENCE = "one sentence";
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

const NAMES = Object.keys({
  name: true,
  summary: true,
  cpus: true,
  ticks: true,
  kernel: true,
  breaks: true,
  protocols: true,
  everyPolicy: true,
  onePolicy: true,
  prepare: true,
} satisfies Record<keyof Scenario, true>);
const FLAGS = ["ticks", "everyPolicy", "onePolicy"] as const;
const BREAK_NAMES = Object.keys({
  policies: true,
  protocols: true,
  reason: true,
} satisfies Record<keyof Break, true>);

const count: Check = (path, value) => checkCount(value, 0, path);

const OPTIONS: Readonly<Record<keyof KernelOptions, Check>> = {
  pcid: optional(flag),
  flushCeiling: count,
  pti: optional(flag),
  invpcid: optional(flag),
  idle: optional(choice("poll", "mwait", "halt", "c6")),
  x2apic: optional(choice(...X2APIC_MODES)),
  ipiShorthand: optional(flag),
  quarantinesFrames: optional(flag),
  vmaLocks: optional(flag),
  invlpgb: optional(flag),
  globalAsidCpus: count,
  mutation: optional(choice(...MUTATION_NAMES)),
};

const checkOptions = onlyFields(OPTIONS);

/** The scenarios that a file exports, in the order of the names. Bad input if it has none. */
export async function loadScenarios(
  path: string,
  code: CodeFiles = CODE_FILES,
): Promise<readonly Scenario[]> {
  // A named export may be the default one as well.
  const exported = new Set(Object.values(await code.exportsOf(path)));
  const scenarios = [...exported].filter((value) => isObject(value) && "prepare" in value);
  if (scenarios.length === 0) {
    throw new BadInput("SCENARIO", path, "exports no scenario: an object with name and prepare");
  }
  const names = new Set<string>(SCENARIO_NAMES);
  for (const scenario of scenarios as Scenario[]) {
    try {
      checkScenario(path, scenario, names);
      names.add(scenario.name);
    } catch (error) {
      throw blamedOn([path], "a scenario", error);
    }
  }
  return scenarios as Scenario[];
}

/** Bad input where the scenario is not one, or its name is taken. */
export function checkScenario(path: string, scenario: Scenario, taken: ReadonlySet<string>): void {
  if (!isObject(scenario)) throw new BadInput(path, scenario, "an object with name and prepare");
  const { name, summary, cpus, prepare, protocols = [], breaks = [], kernel = {} } = scenario;
  const refuse = (key: string, value: unknown, remedy: string): never => {
    throw new BadInput(`${path}: ${key}`, value, remedy);
  };
  if (typeof name !== "string" || !NAME.test(name)) refuse("name", name, "words, with - between");
  if (taken.has(name)) refuse("name", name, "is the name of another scenario; take a new one");
  refuseUnknownKeys(scenario, NAMES, `${path}: ${name}`);
  if (typeof summary !== "string") refuse(`${name}.summary`, summary, SENTENCE);
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > MAX_CPUS) {
    refuse(`${name}.cpus`, cpus, `a whole number from 1 to ${MAX_CPUS}`);
  }
  if (typeof prepare !== "function") refuse(`${name}.prepare`, prepare, "a function of the stage");
  for (const each of FLAGS) optional(flag)(`${path}: ${name}.${each}`, scenario[each]);
  if (!isObject(kernel)) refuse(`${name}.kernel`, kernel, "an object of kernel options");
  checkOptions(`${path}: ${name}.kernel`, kernel);
  if (!isTexts(protocols)) refuse(`${name}.protocols`, protocols, "a list of names");
  if (!Array.isArray(breaks)) refuse(`${name}.breaks`, breaks, `a list of ${A_BREAK}`);
  for (const each of breaks) checkBreak(each, `${path}: ${name}.breaks`);
}

const A_BREAK = "{ policies, protocols, reason }";

function checkBreak(one: Break, path: string): void {
  if (!isObject(one)) throw new BadInput(path, one, A_BREAK);
  refuseUnknownKeys(one, BREAK_NAMES, path);
  const { policies, protocols, reason } = one;
  if (typeof reason !== "string") throw new BadInput(`${path}.reason`, reason, SENTENCE);
  for (const [key, which] of Object.entries({ policies, protocols })) {
    if (which === undefined || typeof which === "function" || isTexts(which)) continue;
    throw new BadInput(`${path}.${key}`, which, "a list of names, or a function");
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
