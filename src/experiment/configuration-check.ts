// What a run that somebody wrote by hand has to be: a value on every axis, which go together, and a
// workload that there is.

import { BadInput, readName, refuseUnknownKeys } from "../base/bad-input.ts";
import { type Check, flag, integer, listOf, optional, readObject } from "../base/input.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { AXES, AXIS_NAMES, readAxisValue } from "./axes.ts";
import type { Configuration, ConfigurationAxis, Run } from "./configuration.ts";
import { ABSENCES, conflictIn } from "./constraints.ts";

const MOST_FILES = 1000;

const text: Check = (path, value) => {
  if (typeof value !== "string") throw new BadInput(path, value, "a text");
};

export const files: Check = listOf(text, { from: 0, to: MOST_FILES });

const RUN: Readonly<Record<Exclude<keyof Run, "configuration">, Check>> = {
  workload: text,
  seed: integer(0, 2 ** 32 - 1),
  trace: optional(text),
  checks: optional(flag),
  files: optional(files),
};

/** What can be told without the files that it names. */
export function checkRun(run: Run): void {
  refuseUnknownKeys(readObject("run", run), ["configuration", ...Object.keys(RUN)], "run");
  for (const [name, check] of Object.entries(RUN)) check(`run.${name}`, run[name as keyof Run]);
}

/** What names stand for is in the catalogue. */
export function checkSubject({ configuration, workload, trace }: Run, catalogue: Catalogue): void {
  if (trace === undefined) readName("run.workload", workload, [...catalogue.workloads.keys()]);
  checkConfiguration("run.configuration", configuration, catalogue);
}

/** A configuration as completeConfiguration gives one, of a machine and a kernel that can be. */
export function checkConfiguration(path: string, value: unknown, catalogue: Catalogue): void {
  refuseUnknownKeys(readObject(path, value), AXIS_NAMES, path);
  const configuration = value as Configuration;
  for (const axis of AXIS_NAMES) checkAxis(`${path}.${axis}`, axis, configuration, catalogue);
  const conflict = conflictIn(configuration, catalogue, ABSENCES);
  if (conflict === undefined) return;
  const { axis, reason } = conflict;
  throw new BadInput(`${path}.${axis}`, configuration[axis], `${reason}; choose another`);
}

function checkAxis(
  path: string,
  axis: ConfigurationAxis,
  configuration: Configuration,
  catalogue: Catalogue,
): void {
  const value: unknown = configuration[axis];
  if (value === undefined && AXES[axis].defaultFor(configuration, catalogue) === undefined) return;
  // A command line spells values as text; here they are what they are.
  if (readAxisValue(axis, value, path, catalogue) === value) return;
  throw new BadInput(path, value, `${axis} is ${AXES[axis].accepts(catalogue)}, and no text`);
}
