// An mm in use on several CPUs of Milan, under linux-6.18 with INVLPGB.

import { expect } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { linux618 } from "../../../src/kernel/shootdown/linux-6.18.ts";
import { goLazy, type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome, type SceneOptions } from "../scene.ts";

export const withInvlpgb: SceneOptions = {
  protocol: linux618,
  cpu: "milan",
  kernel: { invlpgb: true },
};

export const FIRST_GLOBAL = 6;

export type Role = "runs" | "lazy" | "left";
export type Act = (cpu: Cpu, mm: Mm, lab: Lab) => KernelCode;

/** The step at which the others that run the mm touch its pages once more. */
export const TOUCH_AGAIN = 50;

/** CPU i + 1 takes role `others[i]` of an mm that CPU 0 runs; then CPU 0 acts. */
export function actAmong(others: readonly Role[], act: Act, change: SceneOptions = {}): Outcome {
  let mm: Mm | undefined;
  const actor: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(40), "write");
    yield* lab.done(1);
    yield* lab.after(1 + others.length);
    yield* act(cpu, mm, lab);
    yield* lab.done(99);
  };
  const other = (role: Role): Script =>
    function* (cpu, lab) {
      yield* lab.after(cpu.id);
      yield* runOn(cpu, mm!);
      yield* touch(memory(40), "read");
      if (role === "lazy") yield* goLazy(cpu);
      if (role === "left") yield* runOn(cpu, lab.mm(`mm of ${cpu.id}`));
      yield* lab.done(cpu.id + 1);
      yield* lab.after(TOUCH_AGAIN);
      if (role === "runs") yield* touch(memory(40), "read");
      yield* lab.after(99);
      if (role === "runs") yield* touch(memory(40), "read"); // what is stale shows
    };
  const outcome = play({ ...withInvlpgb, ...change }, actor, ...others.map(other));
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

export const ipisOf = (outcome: Outcome): number[] =>
  eventsOf(outcome, "ipiSent").map(({ target }) => target);
