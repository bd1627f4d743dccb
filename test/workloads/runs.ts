// A workload played by a small kernel: what it measured, and every event of its measured part.

import { Random } from "../../src/base/random.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import type { Measurement } from "../../src/experiment/result.ts";
import { simulate } from "../../src/experiment/simulate.ts";
import type { PageSize } from "../../src/machine/description.ts";
import { Machine } from "../../src/machine/machine.ts";
import type { Snapshot } from "../../src/machine/snapshot.ts";
import { describeMachine } from "../../src/presets/describe.ts";
import { presetNamed, type PresetName } from "../../src/presets/presets.ts";
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

const booted = new Map<string, { readonly machine: Machine; readonly snapshot: Snapshot }>();

/**
 * A machine as after its boot, and always the same one: for plays of which only the events and the
 * kernel are looked at. A new machine takes as long as a small play.
 */
export function sameMachine(cores: number, cpu: PresetName = "skylake-sp"): Machine {
  const key = `${cores} ${cpu}`;
  let one = booted.get(key);
  if (one === undefined) {
    const machine = new Machine(describeMachine(presetNamed(cpu), { cores, idle: "mwait" }));
    booted.set(key, (one = { machine, snapshot: machine.snapshot() }));
  }
  one.machine.restore(one.snapshot);
  return one.machine;
}

export function measuredPart({ events }: Outcome): readonly Seen[] {
  const begin = events.findIndex(({ kind }) => kind === "measureBegin");
  const end = events.findIndex(({ kind }) => kind === "measureEnd");
  return events.slice(begin, end + 1);
}
