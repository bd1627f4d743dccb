// One run: a machine, a kernel on it, a workload in it, checkers and a meter beside it.

import { assert } from "../base/assert.ts";
import { Random } from "../base/random.ts";
import { describePast } from "../check/describe-operation.ts";
import type { Violation } from "../check/violation.ts";
import { Session } from "../clock/session.ts";
import { type BootRequest, type IdleProgram, startKernel } from "../kernel/boot.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { KernelOptions } from "../kernel/state/kernel-options.ts";
import { lazyPolicies } from "../kernel/lazy/policies.ts";
import { protocols } from "../kernel/shootdown/protocols.ts";
import type { MachineDescription } from "../machine/description.ts";
import { Machine } from "../machine/machine.ts";
import { describeMachine } from "../presets/describe.ts";
import { presetNamed } from "../presets/presets.ts";
import { startInit } from "../workloads/init.ts";
import { Recording } from "../workloads/replay/recording.ts";
import { Replay } from "../workloads/replay/replay.ts";
import { workloads, type WorkloadName } from "../workloads/workloads.ts";
import { commandFor } from "./command.ts";
import type { Configuration, Run } from "./configuration.ts";
import { hasInvpcid } from "./constraints.ts";
import { withMachine } from "./machines.ts";
import { Meter } from "./meter.ts";
import type { Measurement, ViolationReport } from "./result.ts";

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
  return describeMachine(presetNamed(cpu), { cores, idle, x2apic: x2apic !== "off", ...topology });
}

/** What a run's kernel is booted with. */
export function bootRequestOf(configuration: Configuration, boot: BootOptions): BootRequest {
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
  return { machine, policy, protocol, options: seen, idleProgram };
}

/** The kernel of a run, booted, with every CPU idle. */
export const bootKernel = (configuration: Configuration): Kernel =>
  startKernel(bootRequestOf(configuration, {}));

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
  const meters: Meter[] = [];
  const session = new Session({
    ...bootRequestOf(run.configuration, { machine, idleProgram, onOption }),
    checks: run.checks !== false,
    observers: (kernel) => [(meters[0] = new Meter(kernel))],
    start: (kernel) => (replay === null ? startWorkload(kernel, run) : replay.start(kernel)),
  });
  const ended = await session.run(async () => recording?.refill());
  // With checkers, a deadlock is a violation of I10.
  assert(run.checks !== false || ended === "stopped", `the run ends by itself, not by ${ended}`);
  session.checkBalance();
  const violations = session.violations.map((violation) => reportOf(violation, run));
  return meters[0]!.measurement(violations, session.kernel.machine.now(0));
}

/** Starts the run's workload on a kernel that has just been booted. */
export function startWorkload(kernel: Kernel, run: Run): void {
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
