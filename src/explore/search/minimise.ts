// From a schedule that fails to a short one that fails alike: steps are left out, first many and
// then one by one, and the rest is reordered so that the CPUs change as rarely as they can.

import type { ScenarioSystem } from "../execution/scenario-system.ts";
import type { Failing } from "./part.ts";
import type { Step } from "./search.ts";
import { Choices } from "./system.ts";

/** The steps of `schedule` that can be taken, one after the other; null if no check fails so. */
export function attempt(
  system: ScenarioSystem,
  schedule: readonly Step[],
  invariant: string,
): readonly Step[] | null {
  const taken: Step[] = [];
  system.restart();
  for (const { process, choices } of schedule) {
    if ((system.enabled() & (1 << process)) === 0) continue;
    const made = new Choices(choices);
    system.step(process, made);
    taken.push({ process, choices: made.made });
    if (system.failed) break;
  }
  if (!system.failed && system.enabled() === 0) system.conclude();
  return system.violations[0]?.invariant === invariant ? taken : null;
}

/** What a schedule that fails violates. */
function violatedBy(system: ScenarioSystem, schedule: readonly Step[]): string {
  system.restart();
  for (const { process, choices } of schedule) system.step(process, new Choices(choices));
  if (!system.failed) system.conclude();
  return system.violation.invariant;
}

/**
 * The shortest that comes out of minimising those that violate what the first violates.
 *
 * @param isStopped - whether what has come out by now is short enough
 */
export function shortestFrom(
  system: ScenarioSystem,
  failing: readonly Failing[],
  isStopped: () => boolean,
): readonly Step[] {
  const [first] = failing;
  const invariant = violatedBy(system, first!.schedule);
  return failing
    .filter(({ schedule }) => violatedBy(system, schedule) === invariant)
    .map(({ schedule }) => minimise(system, schedule, { invariant, isStopped }))
    .toSorted((a, b) => a.length - b.length || switches(a) - switches(b))[0]!;
}

interface Aim {
  readonly invariant: string;
  readonly isStopped: () => boolean;
}

/** A schedule no longer than `schedule` that violates the same invariant. */
function minimise(system: ScenarioSystem, schedule: readonly Step[], aim: Aim): readonly Step[] {
  let best = attempt(system, schedule, aim.invariant) ?? schedule;
  for (;;) {
    const shorter = withoutSome(system, best, aim);
    const calmer = withFewerSwitches(system, shorter, aim);
    if (calmer.length === best.length && switches(calmer) === switches(best)) return calmer;
    best = calmer;
  }
}

function withoutSome(
  system: ScenarioSystem,
  schedule: readonly Step[],
  { invariant, isStopped }: Aim,
): readonly Step[] {
  let best = schedule;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = best.length - size; start >= 0; start--) {
      if (isStopped()) return best;
      const kept = [...best.slice(0, start), ...best.slice(start + size)];
      const taken = attempt(system, kept, invariant);
      if (taken !== null && taken.length < best.length) best = taken;
    }
  }
  return best;
}

/** Moves steps of a process to where the process ran before. */
function withFewerSwitches(
  system: ScenarioSystem,
  schedule: readonly Step[],
  { invariant, isStopped }: Aim,
): readonly Step[] {
  let best = schedule;
  for (let at = 1; at < best.length; at++) {
    if (isStopped()) return best;
    const { process } = best[at - 1]!;
    if (best[at]!.process === process) continue;
    const next = best.findIndex((step, index) => index > at && step.process === process);
    if (next < 0) continue;
    const moved = [
      ...best.slice(0, at),
      best[next]!,
      ...best.slice(at, next),
      ...best.slice(next + 1),
    ];
    const taken = attempt(system, moved, invariant);
    if (taken === null || taken.length > best.length || switches(taken) >= switches(best)) continue;
    best = taken;
    at--;
  }
  return best;
}

const switches = (schedule: readonly Step[]): number =>
  schedule.filter((step, index) => index > 0 && step.process !== schedule[index - 1]!.process)
    .length;
