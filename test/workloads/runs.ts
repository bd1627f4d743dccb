// A workload played by a small kernel: what it measured, and every event of its measured part.

import { Random } from "../../src/base/random.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import type { Measurement } from "../../src/experiment/result.ts";
import { withMachine } from "../../src/experiment/machines.ts";
import { simulate } from "../../src/experiment/simulate.ts";
import type { PageSize } from "../../src/machine/description.ts";
import { describeMachine } from "../../src/presets/describe.ts";
import { presetNamed } from "../../src/presets/presets.ts";
import { workloads, type WorkloadName } from "../../src/workloads/workloads.ts";
import { type Outcome, play, type SceneOptions, type Seen } from "../kernel/scene.ts";

export const measure = (
  workload: WorkloadName,
  chosen: Partial<Configuration> = {},
  seed = 1,
): Promise<Measurement> =>
  simulate({
    configuration: completeConfiguration({ cores: 4, rounds: 4, ...chosen }),
    workload,
    seed,
  });

export const switchesPerSecond = (one: Measurement): number =>
  one.contextSwitches / one.elapsedSeconds;

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export interface PlayOptions extends SceneOptions {
  readonly pages?: number;
  readonly pageSize?: PageSize;
  readonly rounds?: number;
}

export function playWorkload(name: WorkloadName, options: PlayOptions = {}): Outcome {
  const { pages = 4, pageSize = "4K", rounds = 4 } = options;
  return play(options, (kernel) =>
    workloads[name].program({
      kernel,
      cpus: kernel.cpus,
      pages,
      pageSize,
      rounds,
      random: new Random(1),
    }),
  );
}

/** The same on a machine that others use again: only events and the kernel may be looked at. */
export function playAgain(name: WorkloadName, options: PlayOptions): Promise<Outcome> {
  const { cores = 2, cpu = "skylake-sp", idle = "mwait" } = options;
  const description = describeMachine(presetNamed(cpu), { cores, idle });
  return withMachine(description, async (machine) => playWorkload(name, { ...options, machine }));
}

export function measuredPart({ events }: Outcome): readonly Seen[] {
  const begin = events.findIndex(({ kind }) => kind === "measureBegin");
  const end = events.findIndex(({ kind }) => kind === "measureEnd");
  return events.slice(begin, end + 1);
}
