// A small kernel for tests: boots cores, runs one process's program to its end, keeps every event.

import type { Violation } from "../../src/check/violation.ts";
import type { Clock, ClockEnd } from "../../src/clock/clock.ts";
import { Session } from "../../src/clock/session.ts";
import { type BootRequest, startKernel } from "../../src/kernel/boot.ts";
import type { KernelEvent, Moment, Observer } from "../../src/kernel/operation/event.ts";
import type { Kernel } from "../../src/kernel/state/kernel.ts";
import { type KernelOptions } from "../../src/kernel/state/kernel-options.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import type { LazyPolicy } from "../../src/kernel/state/lazy-policy.ts";
import type { MutationName } from "../../src/kernel/operation/mutation.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../src/kernel/state/shootdown-protocol.ts";
import type { Program } from "../../src/kernel/state/task.ts";
import { Machine } from "../../src/machine/machine.ts";
import { describeMachine } from "../../src/presets/describe.ts";
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
  /** As after its boot; a new one unless given. */
  readonly machine?: Machine;
  /** Further options of the kernel. */
  readonly kernel?: Partial<KernelOptions>;
}

export type Seen = KernelEvent & { readonly at: Moment };

export interface Outcome {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly events: readonly Seen[];
  readonly violations: readonly Violation[];
  readonly ended: ClockEnd | "fell over";
}

/** What a scene's kernel is booted with. */
export function bootRequestOf(options: SceneOptions): BootRequest {
  const { cores = 2, policy = lazyPolicies.refcounted, protocol = linux513 } = options;
  const { pcid = true, idle = "mwait", mutation, cpu = "skylake-sp" } = options;
  const description = describeMachine(presetNamed(cpu), { cores, idle });
  const { machine = new Machine(description, { callers: "trusted" }) } = options;
  const mistake = mutation === undefined ? {} : { mutation };
  const kernelOptions = { pcid, flushCeiling: 33, idle, ...mistake, ...options.kernel };
  return { machine, policy, protocol, options: kernelOptions };
}

export const bootScene = (options: SceneOptions = {}): Kernel =>
  startKernel(bootRequestOf(options));

/** Keeps every event in `events`. */
export const recorder = (events: Seen[]): Observer => ({
  observe: (event, at) => void events.push({ ...event, at }),
});

/** Runs `program` as the first thread of a process, until init has seen everything exit. */
export function play(options: SceneOptions, program: (kernel: Kernel) => Program): Outcome {
  const events: Seen[] = [];
  const session = new Session({
    ...bootRequestOf(options),
    checks: true,
    observers: () => [recorder(events)],
    start: (kernel) => startInit(kernel, "test", program(kernel)),
  });
  const ended = session.runUntilStarved();
  if (ended === "stopped") session.checkBalance();
  const { kernel, clock, violations } = session;
  return { kernel, clock, events, violations, ended };
}

/** The events of one kind. */
export const eventsOf = <K extends KernelEvent["kind"]>(
  { events }: Outcome,
  kind: K,
): (Extract<KernelEvent, { kind: K }> & { at: Moment })[] =>
  events.filter((event) => event.kind === kind) as (Extract<KernelEvent, { kind: K }> & {
    at: Moment;
  })[];
