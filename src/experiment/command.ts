// The shell command that repeats one run: it names every axis, so that no default can change it.

import { BUILT_IN } from "../catalogue/catalogue.ts";
import { SAMPLE_TRACES } from "../trace/samples.ts";
import { AXIS_NAMES } from "./axes.ts";
import type { Run } from "./configuration.ts";

/** `shootdown run munmap --set cpu=rome --set cores=2 ... --seed 7`, or `shootdown replay ...`. */
export function commandFor(run: Run): string {
  const isOwn = !BUILT_IN.workloads.has(run.workload);
  const workload = isOwn ? `--workload ${run.workload}` : run.workload;
  const what = run.trace === undefined ? `run ${workload}` : `replay ${quoted(nameOf(run.trace))}`;
  const settings = AXIS_NAMES.flatMap((axis) => {
    const value = run.configuration[axis];
    if (value === undefined) return [];
    return axis === "mutation" ? [`--mutation ${value}`] : [`--set ${axis}=${value}`];
  });
  const files = (run.files ?? []).map((file) => ` --code ${quoted(file)}`).join("");
  const unchecked = run.checks === false ? " --no-checks" : "";
  return `shootdown ${what} ${settings.join(" ")}${files}${unchecked} --seed ${run.seed}`;
}

function nameOf(trace: string): string {
  const sample = Object.entries(SAMPLE_TRACES).find(([, path]) => path === trace);
  return sample === undefined ? trace : sample[0];
}

function quoted(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
