// The experiments that come with the package: `default`, and one per workload by its name.

import { WORKLOAD_NAMES, workloads } from "../workloads/workloads.ts";
import type { ExperimentDefinition } from "./experiment.ts";

export const BUILT_IN_NAMES: readonly string[] = ["default", ...WORKLOAD_NAMES];

/** The sample that the default experiment replays: threads that pass messages, idle in between. */
const DEFAULT_TRACE = "messaging-threads";

/** What the project answers, on one screen: who pays for the reference count at the switch, what a
 *  shootdown costs with and without PCID, what lazy TLB saves, and which policy breaks. */
const defaultExperiment: ExperimentDefinition = {
  name: "default",
  title: "What lazy TLB, its reference count and PCID cost on Skylake-SP",
  axes: { cpu: "skylake-sp" },
  parts: [
    {
      workloads: ["pingpong"],
      axes: {
        cores: [2, 28, 192],
        lazyTlb: ["refcounted", "exit-unlazy", "hazard-pointer", "eager"],
      },
    },
    {
      workloads: ["munmap"],
      axes: { cores: [2, 28], pcid: [true, false], lazyTlb: ["refcounted", "unrefcounted"] },
    },
    {
      workloads: ["kthread"],
      axes: { cores: 28, rounds: 30, pcid: [true, false], lazyTlb: ["refcounted", "eager"] },
    },
    {
      traces: [DEFAULT_TRACE],
      axes: { pcid: [true, false], lazyTlb: ["refcounted", "exit-unlazy", "eager"] },
    },
  ],
};

/** The built-in experiment of that name, if there is one. */
export function builtIn(name: string): ExperimentDefinition | undefined {
  if (name === "default") return defaultExperiment;
  const workload = WORKLOAD_NAMES.find((known) => known === name);
  if (workload === undefined) return undefined;
  return {
    name: workload,
    title: workloads[workload].summary,
    workloads: [workload],
    axes: {
      cores: [2, 28],
      lazyTlb: ["refcounted", "exit-unlazy", "shoot-lazies", "hazard-pointer", "eager"],
    },
  };
}
