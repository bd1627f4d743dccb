// One run: a machine, a kernel on it, a workload in it, checkers and a meter beside it.

import { assert } from "../base/assert.ts";
import { Random } from "../base/random.ts";
import { catalogueOf } from "../catalogue/bring-in.ts";
import { BUILT_IN, type Catalogue, entryIn, kernelUnderTest } from "../catalogue/catalogue.ts";
import { blamedOn } from "../catalogue/code-file.ts";
import { describePast } from "../check/describe-operation.ts";
import type { Violation } from "../check/violation.ts";
import { Session } from "../clock/session.ts";
import { type BootRequest, type IdleProgram, startKernel } from "../kernel/boot.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { KernelOptions } from "../kernel/state/kernel-options.ts";
import type { MachineDescription } from "../machine/description.ts";
import { Machine } from "../machine/machine.ts";
import { describeMachine } from "../presets/describe.ts";
import { startInit } from "../workloads/init.ts";
import { Recording } from "../workloads/replay/recording.ts";
import { Replay } from "../workloads/replay/replay.ts";
import { commandFor } from "./command.ts";
import type { Configuration, Run } from "./configuration.ts";
import { checkConfiguration, checkRun, checkSubject } from "./configuration-check.ts";
import { hasInvpcid } from "./constraints.ts";
import { newMachine, withMachine } from "./machines.ts";
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
  /** What its names are looked up in: the package's own unless given. */
  readonly catalogue?: Catalogue;
}

function descriptionOf(configuration: Configuration, catalogue: Catalogue): MachineDescription {
  const { cores, coresPerLlc, llcsPerSocket, idle, x2apic } = configuration;
  const topology = {
    ...(coresPerLlc === undefined ? {} : { coresPerLlc }),
    ...(llcsPerSocket === undefined ? {} : { llcsPerSocket }),
  };
  const preset = entryIn(catalogue, "cpus", configuration.cpu);
  return describeMachine(preset, { cores, idle, x2apic: x2apic !== "off", ...topology });
}

/** What a run's kernel is booted with. */
export function bootRequestOf(configuration: Configuration, boot: BootOptions): BootRequest {
  const { catalogue = BUILT_IN } = boot;
  const { machine = newMachine(descriptionOf(configuration, catalogue)) } = boot;
  const { cpu, pcid, invlpgb, vmaLocks, flushCeiling, idle } = configuration;
  const { x2apic = "cluster", ipiShorthand = false } = configuration;
  const { pti = false, invpcid = hasInvpcid(catalogue, cpu), mutation = "none" } = configuration;
  const names = { protocol: configuration.protocol, policy: configuration.lazyTlb, mutation };
  const { protocol, policy, ...mutated } = kernelUnderTest(catalogue, names);
  const apic = { x2apic, ipiShorthand };
  const features = { pcid, pti, invpcid, invlpgb, vmaLocks, flushCeiling };
  const options = { ...features, idle, ...apic, ...mutated };
  const { idleProgram, onOption } = boot;
  const seen = onOption === undefined ? options : watched(options, onOption);
  return { machine, policy, protocol, options: seen, idleProgram };
}

/** The kernel of a run, booted, with every CPU idle, on a machine that anybody may call. */
export function bootKernel(configuration: Configuration, catalogue = BUILT_IN): Kernel {
  checkConfiguration("configuration", configuration, catalogue);
  const machine = new Machine(descriptionOf(configuration, catalogue));
  return startKernel(bootRequestOf(configuration, { catalogue, machine }));
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
export async function simulate(run: Run, options: SimulateOptions = {}): Promise<Measurement> {
  checkRun(run);
  const { files = [] } = run;
  const { catalogue = await catalogueOf(files), onOption } = options;
  checkSubject(run, catalogue);
  const description = descriptionOf(run.configuration, catalogue);
  try {
    return await withMachine(description, (machine) =>
      simulateOn(run, { machine, catalogue, onOption }),
    );
  } catch (error) {
    throw blamedOn(files, run.workload, error);
  }
}

type SimulateOptions = Pick<BootOptions, "onOption" | "catalogue">;

async function simulateOn(
  run: Run,
  boot: BootOptions & { readonly catalogue: Catalogue },
): Promise<Measurement> {
  const recording =
    run.trace === undefined ? null : await Recording.open(run.trace, run.configuration.cores);
  const replay = recording === null ? null : new Replay(recording);
  const idleProgram = replay?.idleProgram.bind(replay);
  const meters: Meter[] = [];
  const session = new Session({
    ...bootRequestOf(run.configuration, { ...boot, idleProgram }),
    checks: run.checks !== false,
    observers: (kernel) => [(meters[0] = new Meter(kernel))],
    ownCheckers: boot.catalogue.checkers,
    start: (kernel) =>
      replay === null ? startWorkload(kernel, run, boot.catalogue) : replay.start(kernel),
  });
  const ended = await session.run(async () => recording?.refill());
  // With checkers, a deadlock is a violation of I10.
  assert(run.checks !== false || ended === "stopped", `the run ends by itself, not by ${ended}`);
  session.checkBalance();
  const violations = session.violations.map((violation) => reportOf(violation, run));
  return meters[0]!.measurement(violations, session.kernel.machine.now(0));
}

/** Starts the run's workload on a kernel that has just been booted. */
export function startWorkload(kernel: Kernel, run: Run, catalogue: Catalogue = BUILT_IN): void {
  const { pages, pageSize = "4K", rounds } = run.configuration;
  const random = new Random(run.seed);
  const workload = entryIn(catalogue, "workloads", run.workload);
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
