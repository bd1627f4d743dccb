// What `shootdown walk` looks at: a machine with the tables of a file, of a vector, or of a
// workload.

import { addressOfPage, hex } from "../base/address.ts";
import { BadInput } from "../base/bad-input.ts";
import { readTextFile } from "../base/text-file.ts";
import { completeConfiguration } from "../experiment/axes.ts";
import type { Configuration } from "../experiment/configuration.ts";
import { kernelAt } from "../experiment/kernel-at.ts";
import type { Setting } from "../experiment/settings.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { Machine } from "../machine/machine.ts";
import { describeMachine } from "../presets/describe.ts";
import { presetNamed, type PresetName } from "../presets/presets.ts";
import { machineOfCase, vectorNamed } from "../verify/vectors/machine-of-case.ts";
import { parseTables } from "../verify/vectors/vector-tables.ts";
import type { WorkloadName } from "../workloads/workloads.ts";
import { note } from "./output.ts";

export interface SubjectOptions {
  readonly tables?: string;
  readonly vector?: string;
  readonly id?: string;
  readonly after?: number;
  readonly run?: WorkloadName;
  readonly at?: number;
  readonly core?: number;
  readonly cpu?: PresetName;
  readonly set?: readonly Setting[];
  readonly seed?: number;
}

const DEFAULT_WORKLOAD = "munmap";
export const DEFAULT_CYCLE = 200_000;

interface Subject {
  readonly machine: Machine;
  readonly core: number;
}

/** The machine whose walk is explained, as far as it has come. */
export async function subjectOf(options: SubjectOptions): Promise<Subject> {
  checkTogether(options);
  const { tables, vector, id, after = 0 } = options;
  const description = describeMachine(presetNamed(options.cpu ?? "skylake-sp"), { cores: 1 });
  if (tables !== undefined) {
    const machine = machineOfCase(
      description,
      parseTables(tables, readTextFile(tables, "a JSON file of tables")),
      0,
    );
    return { machine, core: 0 };
  }
  if (vector !== undefined) {
    if (id === undefined) throw new BadInput("--id", undefined, `the id of a vector in ${vector}`);
    return { machine: machineOfCase(description, await vectorNamed(vector, id), after), core: 0 };
  }
  return runningSubject(options);
}

/** What each kind of subject is told by, beside `--seed`, which every command takes. */
const TOLD_BY = {
  tables: ["tables", "cpu"],
  vector: ["vector", "id", "after", "cpu"],
  run: ["run", "at", "core", "set"],
} as const satisfies Readonly<Record<string, readonly (keyof SubjectOptions)[]>>;

/** Refuses an option that would have no effect. */
function checkTogether(options: SubjectOptions): void {
  const { tables, vector, set = [] } = options;
  const subject = tables !== undefined ? "tables" : vector !== undefined ? "vector" : "run";
  const idle = new Set<keyof SubjectOptions>(Object.values(TOLD_BY).flat());
  for (const name of TOLD_BY[subject]) idle.delete(name);
  for (const name of idle) {
    if (options[name] === undefined) continue;
    const remedy = `leave it out: ${WITHOUT_EFFECT[subject]}`;
    throw new BadInput(`--${name}`, said(options, name), remedy);
  }
  const several = set.find(({ values }) => values.length > 1);
  if (several === undefined) return;
  throw new BadInput(several.path, several.values.join(","), "one value: one walk is explained");
}

const WITHOUT_EFFECT = {
  tables: "--tables says whose tables they are",
  vector: "--vector says whose tables they are",
  run: "the tables are those of a running workload (--set cpu=PRESET is its CPU)",
} as const;

const said = (options: SubjectOptions, name: keyof SubjectOptions): unknown =>
  name === "set" ? options.set?.[0]?.path : options[name];

function runningSubject(options: SubjectOptions): Subject {
  const { run: workload = DEFAULT_WORKLOAD, at = DEFAULT_CYCLE, core = 0, seed = 1 } = options;
  const chosen = Object.fromEntries(
    (options.set ?? []).map(({ axis, values }) => [axis, values[0]]),
  ) as Partial<Configuration>;
  const configuration = completeConfiguration(chosen);
  if (core >= configuration.cores) {
    throw new BadInput("--core", core, `a core from 0 to ${configuration.cores - 1}`);
  }
  const kernel = kernelAt({ configuration, workload, seed }, at);
  noteTask(kernel, core);
  return { machine: kernel.machine, core };
}

/** Whose tables they are, and what is mapped in them. */
function noteTask(kernel: Kernel, core: number): void {
  const { current } = kernel.cpus[core]!;
  const areas = (current.mm?.areas.all ?? []).map(
    ({ start, end }) => `${hex(addressOfPage(start))}-${hex(addressOfPage(end))}`,
  );
  const mapped = areas.length === 0 ? "no address space" : areas.join(", ");
  note(`core ${core} runs ${current.name}: ${mapped}`);
}
