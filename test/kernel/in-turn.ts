// CPUs of one address space that act one after the other.

import type { Cpu } from "../../src/kernel/state/cpu.ts";
import type { Mm } from "../../src/kernel/state/mm.ts";
import type { KernelCode } from "../../src/kernel/operation/operation.ts";
import { type Lab, play, runOn, type Script } from "./lab.ts";
import type { Outcome, SceneOptions } from "./scene.ts";

type Does = (cpu: Cpu, mm: Mm, lab: Lab) => KernelCode<unknown>;

/** Something that a CPU does. */
export type Act = readonly [cpu: number, does: Does];

export interface Turns extends Outcome {
  readonly mm: Mm;
  /** By act: who was interrupted meanwhile. */
  readonly called: readonly (readonly number[])[];
}

/** `cores` CPUs, each a user of one mm, go to it one after the other; then come the acts. */
export function inTurn(cores: number, options: SceneOptions, ...acts: readonly Act[]): Turns {
  const comes = Array.from({ length: cores }, (_, id): Act => [id, (cpu, mm) => runOn(cpu, mm)]);
  const all = [...comes, ...acts];
  const called: number[][] = all.map(() => []);
  let mm: Mm | null = null;
  const script: Script = function* (cpu, lab) {
    if (mm === null) {
      mm = lab.mm("mm");
      mm.mmUsers.value = cores;
    }
    for (const [index, [who, does]] of all.entries()) {
      yield* lab.after(index);
      if (who !== cpu.id) continue;
      const before = lab.events.length;
      yield* does(cpu, mm, lab);
      for (const event of lab.events.slice(before)) {
        if (event.kind === "ipiSent") called[index]!.push(event.target);
      }
      yield* lab.done(index + 1);
    }
    yield* lab.after(all.length); // an idle CPU would look without an interrupt
  };
  const outcome = play({ ...options, cores }, ...comes.map(() => script));
  return { ...outcome, mm: mm!, called: called.slice(cores) };
}
