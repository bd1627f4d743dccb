// The experiments that come with the package: `default`, one per workload by its name, those that
// answer a question, and those that repeat a published comparison.

import { WORKLOAD_NAMES, workloads } from "../workloads/workloads.ts";
import { claims } from "./claims.ts";
import type { ExperimentDefinition, NamedExperiment } from "./experiment.ts";
import { questions } from "./questions.ts";

const named: readonly NamedExperiment[] = [...questions, ...claims];

export const BUILT_IN_NAMES: readonly string[] = [
  "default",
  ...WORKLOAD_NAMES,
  ...named.map(({ name }) => name),
];

/**
 * The sample that the default experiment replays: a thread that comes and goes on an idle CPU while
 * another gives memory back.
 */
const DEFAULT_TRACE = "lazy-dontneed";

/** What the project answers, on one screen: who pays for the reference count at the switch, what a
 *  shootdown costs, what PCID and lazy TLB save, and which policy breaks. */
const defaultExperiment: ExperimentDefinition = {
  name: "default",
  title: "What lazy TLB, its reference count and PCID cost on Skylake-SP",
  seeds: 3,
  axes: { cpu: "skylake-sp" },
  parts: [
    {
      workloads: ["pingpong"],
      axes: {
        cores: [2, 28, 96, 192],
        rounds: 20,
        lazyTlb: ["refcounted", "unrefcounted", "exit-unlazy", "hazard-pointer", "eager"],
      },
    },
    { workloads: ["munmap"], axes: { cores: [2, 28], pages: [1, 8, 34] } },
    {
      workloads: ["server"],
      axes: {
        cores: 28,
        rounds: 20,
        pcid: [true, false],
        lazyTlb: ["refcounted", "unrefcounted", "eager"],
      },
    },
    {
      traces: [DEFAULT_TRACE],
      axes: { pcid: [true, false], lazyTlb: ["refcounted", "unrefcounted", "eager"] },
    },
  ],
};

/** The built-in experiment of that name, if there is one. */
export function builtIn(name: string): ExperimentDefinition | undefined {
  if (name === "default") return defaultExperiment;
  const whole = named.find((known) => known.name === name);
  if (whole !== undefined) return whole;
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
