// How fast this program is on its host: per emulated access, per context switch, per shootdown.
// Runs are whole runs, checkers included: what a user waits for.

import { completeConfiguration } from "../experiment/axes.ts";
import { simulate } from "../experiment/simulate.ts";
import { describeMachine } from "../presets/describe.ts";
import { presetNamed } from "../presets/presets.ts";
import { ACCESS_SCENARIOS, type AccessScenario } from "./access-scenarios.ts";

export interface PerfScenario {
  readonly name: string;
  readonly unit: "ns/access" | "ns/switch" | "ns/shootdown";
  /** Host nanoseconds per unit, one number per sample. */
  measure(): Promise<readonly number[]>;
}

const SAMPLES = 7;
const ACCESSES_PER_SAMPLE = 2_000_000;
const CORE_COUNTS = [2, 28, 192];
/** Switches, and shootdowns, of one sample, about. */
const SWITCHES_PER_SAMPLE = 20_000;
const SHOOTDOWNS_PER_SAMPLE = 2_000;

export const PERF_SCENARIOS: readonly PerfScenario[] = [
  ...ACCESS_SCENARIOS.map(accessScenario),
  ...CORE_COUNTS.map(contextSwitchScenario),
  ...CORE_COUNTS.map(shootdownScenario),
];

function accessScenario({ name, unit, prepare }: AccessScenario): PerfScenario {
  const measure = async (): Promise<readonly number[]> => {
    const run = prepare(describeMachine(presetNamed("skylake-sp"), { cores: 1 }));
    run(ACCESSES_PER_SAMPLE);
    return Array.from({ length: SAMPLES }, () => {
      const start = process.hrtime.bigint();
      run(ACCESSES_PER_SAMPLE);
      return Number(process.hrtime.bigint() - start) / ACCESSES_PER_SAMPLE;
    });
  };
  return { name, unit, measure };
}

/** The pingpong workload: every switch goes through idle. */
function contextSwitchScenario(cores: number): PerfScenario {
  const rounds = Math.ceil(SWITCHES_PER_SAMPLE / (2 * cores));
  const measure = (): Promise<readonly number[]> =>
    timeRuns("pingpong", { cores, rounds }, (run) => run.contextSwitches);
  return { name: `context-switch-${cores}`, unit: "ns/switch", measure };
}

/** The munmap workload: one core unmaps, all others work in user mode and are interrupted. */
function shootdownScenario(cores: number): PerfScenario {
  const rounds = Math.ceil(SHOOTDOWNS_PER_SAMPLE / cores);
  const measure = (): Promise<readonly number[]> =>
    timeRuns("munmap", { cores, rounds }, (run) => run.initiatorCycles.length);
  return { name: `shootdown-${cores}`, unit: "ns/shootdown", measure };
}

async function timeRuns(
  workload: string,
  size: { readonly cores: number; readonly rounds: number },
  unitsOf: (measurement: Awaited<ReturnType<typeof simulate>>) => number,
): Promise<readonly number[]> {
  const configuration = completeConfiguration(size);
  const samples: number[] = [];
  for (let seed = 0; seed <= SAMPLES; seed++) {
    const start = process.hrtime.bigint();
    const measurement = await simulate({ configuration, workload, seed });
    const nanoseconds = Number(process.hrtime.bigint() - start);
    if (seed > 0) samples.push(nanoseconds / unitsOf(measurement)); // the first one warms up
  }
  return samples;
}
