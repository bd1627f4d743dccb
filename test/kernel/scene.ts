// A small kernel for tests: boots cores, runs one process's program to its end, keeps every event.

import { checkersFor } from "../../src/check/checkers.ts";
import { type Violation, ViolationLog } from "../../src/check/violation.ts";
import { Clock, type ClockEnd } from "../../src/kernel/clock.ts";
import type { KernelEvent, Moment } from "../../src/kernel/event.ts";
import { type KernelOptions, KernelState } from "../../src/kernel/kernel.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import type { LazyPolicy } from "../../src/kernel/lazy/policy.ts";
import type { MutationName } from "../../src/kernel/mutation.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../src/kernel/shootdown/protocol.ts";
import type { Program } from "../../src/kernel/task.ts";
import { Machine } from "../../src/machine/machine.ts";
import { describe as describeMachine } from "../../src/presets/describe.ts";
import { presetNamed, type PresetName } from "../../src/presets/presets.ts";
import { startInit } from "../../src/workloads/init.ts";

export interface SceneOptions {
  readonly cores?: number;
  readonly policy?: LazyPolicy;
  readonly protocol?: ShootdownProtocol;
  readonly pcid?: boolean;
  readonly mutation?: MutationName;
  readonly idle?: KernelOptions["idle"];
  /** "skylake-sp" unless given. */
  readonly cpu?: PresetName;
  /** Further options of the kernel. */
  readonly kernel?: Partial<KernelOptions>;
}

export type Seen = KernelEvent & { readonly at: Moment };

export interface Outcome {
  readonly kernel: KernelState;
  readonly clock: Clock;
  readonly events: readonly Seen[];
  readonly violations: readonly Violation[];
  readonly ended: ClockEnd | "fell over";
}

export function bootScene(options: SceneOptions = {}): KernelState {
  const { cores = 2, policy = lazyPolicies.refcounted, protocol = linux513 } = options;
  const { pcid = true, idle = "mwait", mutation, cpu = "skylake-sp" } = options;
  const machine = new Machine(describeMachine(presetNamed(cpu), { cores, idle }));
  const mistake = mutation === undefined ? {} : { mutation };
  const kernelOptions = { pcid, flushCeiling: 33, idle, ...mistake, ...options.kernel };
  return new KernelState(machine, policy, protocol, kernelOptions);
}

/** Runs `program` as the first thread of a process, until init has seen everything exit. */
export function play(options: SceneOptions, program: (kernel: KernelState) => Program): Outcome {
  const kernel = bootScene(options);
  const log = new ViolationLog();
  const checkers = checkersFor(kernel, log);
  const events: Seen[] = [];
  const recorder = {
    observe: (event: KernelEvent, at: Moment) => void events.push({ ...event, at }),
  };
  startInit(kernel, "test", program(kernel));
  const clock = new Clock(kernel, [recorder, ...checkers.observers]);
  log.history = clock.history;
  const ended = runUntilItFalls(clock, log);
  if (ended === "stopped") checkers.references.checkBalance(kernel.machine.now(0));
  return { kernel, clock, events, violations: log.violations, ended };
}

/** What a kernel does after it has used freed memory is anything, to fall over included. */
function runUntilItFalls(clock: Clock, log: ViolationLog): Outcome["ended"] {
  try {
    return clock.run();
  } catch (error) {
    if (log.count === 0) throw error;
    return "fell over";
  }
}

/** The events of one kind. */
export const eventsOf = <K extends KernelEvent["kind"]>(
  { events }: Outcome,
  kind: K,
): (Extract<KernelEvent, { kind: K }> & { at: Moment })[] =>
  events.filter((event) => event.kind === kind) as (Extract<KernelEvent, { kind: K }> & {
    at: Moment;
  })[];
