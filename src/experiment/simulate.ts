// One run: a machine, a kernel on it, a workload in it, checkers and a meter beside it.

import { assert } from "../base/assert.ts";
import { BadInput } from "../base/bad-input.ts";
import { Random } from "../base/random.ts";
import { checkersFor } from "../check/checkers.ts";
import { describePast } from "../check/describe-operation.ts";
import { type Violation, ViolationLog } from "../check/violation.ts";
import { Clock } from "../kernel/clock.ts";
import { type IdleProgram, type KernelOptions, KernelState } from "../kernel/kernel.ts";
import { lazyPolicies } from "../kernel/lazy/policies.ts";
import { protocols } from "../kernel/shootdown/protocols.ts";
import type { MachineDescription } from "../machine/description.ts";
import { Machine } from "../machine/machine.ts";
import { describe } from "../presets/describe.ts";
import { presetNamed } from "../presets/presets.ts";
import { startInit } from "../workloads/init.ts";
import { Recording } from "../workloads/replay/recording.ts";
import { Replay } from "../workloads/replay/replay.ts";
import { workloads, type WorkloadName } from "../workloads/workloads.ts";
import { commandFor } from "./command.ts";
import type { Configuration } from "./configuration.ts";
import { hasInvpcid } from "./constraints.ts";
import { withMachine } from "./machines.ts";
import { Meter } from "./meter.ts";
import type { Measurement, ViolationReport } from "./result.ts";

export interface Run {
  readonly configuration: Configuration;
  /** A workload's name, or what a replayed trace is called. */
  readonly workload: string;
  readonly seed: number;
  /** Path of the recorded trace to replay in place of a workload. */
  readonly trace?: string;
  /** False: no checker watches, and the run has no verdict. */
  readonly checks?: boolean;
}

export type KernelOption = keyof KernelOptions;

interface BootOptions {
  /** As after its boot; a new one unless given. */
  readonly machine?: Machine;
  /** What idle tasks do in place of the idle loop. */
  readonly idleProgram?: IdleProgram | undefined;
  /** Called whenever the kernel looks at one of its options. */
  readonly onOption?: ((name: KernelOption) => void) | undefined;
}

function descriptionOf(configuration: Configuration): MachineDescription {
  const { cpu, cores, coresPerLlc, llcsPerSocket, idle, x2apic } = configuration;
  const topology = {
    ...(coresPerLlc === undefined ? {} : { coresPerLlc }),
    ...(llcsPerSocket === undefined ? {} : { llcsPerSocket }),
  };
  return describe(presetNamed(cpu), { cores, idle, x2apic: x2apic !== "off", ...topology });
}

/** The kernel of a run, booted, with every CPU idle. */
export function bootKernel(configuration: Configuration, boot: BootOptions = {}): KernelState {
  const { machine = new Machine(descriptionOf(configuration)) } = boot;
  const { cpu, pcid, invlpgb, vmaLocks, flushCeiling, idle } = configuration;
  const { x2apic = "cluster", ipiShorthand = false } = configuration;
  const policy = lazyPolicies[configuration.lazyTlb];
  const protocol = protocols[configuration.protocol];
  const { pti = false, invpcid = hasInvpcid(cpu), mutation = "none" } = configuration;
  const apic = { x2apic, ipiShorthand };
  const mistake = mutation === "none" ? {} : { mutation };
  const features = { pcid, pti, invpcid, invlpgb, vmaLocks, flushCeiling };
  const options = { ...features, idle, ...apic, ...mistake };
  const { idleProgram, onOption } = boot;
  const seen = onOption === undefined ? options : watched(options, onOption);
  return new KernelState(machine, policy, protocol, seen, idleProgram);
}

const watched = (options: KernelOptions, onOption: (name: KernelOption) => void): KernelOptions =>
  Object.defineProperties(
    { ...options },
    Object.fromEntries(
      (Object.keys(options) as KernelOption[]).map((name) => {
        const get = (): unknown => {
          onOption(name);
          return options[name];
        };
        return [name, { get }];
      }),
    ),
  );

/** Carries out one run. The same run gives the same measurement, byte for byte. */
export function simulate(
  run: Run,
  options: Pick<BootOptions, "onOption"> = {},
): Promise<Measurement> {
  return withMachine(descriptionOf(run.configuration), (machine) =>
    simulateOn(machine, run, options),
  );
}

async function simulateOn(
  machine: Machine,
  run: Run,
  { onOption }: Pick<BootOptions, "onOption">,
): Promise<Measurement> {
  const recording =
    run.trace === undefined ? null : await Recording.open(run.trace, run.configuration.cores);
  const replay = recording === null ? null : new Replay(recording);
  const idleProgram = replay?.idleProgram.bind(replay);
  const kernel = bootKernel(run.configuration, { machine, idleProgram, onOption });
  const log = new ViolationLog();
  const checkers = run.checks === false ? null : checkersFor(kernel, log);
  const meter = new Meter(kernel);
  if (replay === null) startWorkload(kernel, run);
  else replay.start(kernel);
  const clock = new Clock(kernel, [meter, ...(checkers?.observers ?? [])]);
  log.history = clock.history;
  meter.clock = clock;
  try {
    let ended = clock.run();
    while (ended === "starved") {
      await recording?.refill();
      kernel.starved = false;
      ended = clock.run();
    }
    // With checkers, that is a violation of I10.
    assert(checkers !== null || ended === "stopped", `the run ends by itself, not by ${ended}`);
  } catch (error) {
    // What a kernel does after it has used freed memory is anything: the run ends where it fell
    // over.
    if (error instanceof BadInput || log.count === 0) throw error;
  }
  const cycle = kernel.machine.now(0);
  if (kernel.stopped) checkers?.references.checkBalance(cycle);
  const violations = log.violations.map((violation) => reportOf(violation, run));
  return meter.measurement(violations, cycle);
}

/** Starts the run's workload on a kernel that has just been booted. */
export function startWorkload(kernel: KernelState, run: Run): void {
  const { pages, pageSize = "4K", rounds } = run.configuration;
  const random = new Random(run.seed);
  const workload = workloads[run.workload as WorkloadName];
  const scene = { kernel, cpus: kernel.cpus, pages, pageSize, rounds, random };
  startInit(kernel, workload.name, workload.program(scene));
}

function reportOf(violation: Violation, run: Run): ViolationReport {
  const operations = violation.operations.map(({ cpu, last }) => ({
    cpu,
    last: last.map(describePast),
  }));
  return { ...violation, operations, seed: run.seed, replay: commandFor(run) };
}
