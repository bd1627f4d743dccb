// Whose turn it is: the actions of a recording happen one after the other, each on its CPU.

import type { Cpu } from "../../kernel/state/cpu.ts";
import { Cell } from "../../kernel/operation/cell.ts";
import type { Kernel } from "../../kernel/state/kernel.ts";
import {
  fence,
  type KernelCode,
  note,
  parkUntil,
  store,
  workUntil,
} from "../../kernel/operation/operation.ts";
import type { Action, Recording } from "./recording.ts";

export class Director {
  /** Per CPU: the index of the action that it may carry out, -1 while it is not its turn. */
  private readonly turns: readonly Cell<number>[];
  private readonly cyclesPerTick: number;
  private index = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly recording: Recording,
  ) {
    this.turns = kernel.cpus.map(
      (cpu) => new Cell(`turn${cpu.id}`, kernel.allocateLine(cpu.id), -1),
    );
    const { frequencyGhz } = kernel.machine.description;
    this.cyclesPerTick = (frequencyGhz * 1000) / recording.meta.tscMhz;
    const first = recording.at(0);
    if (first === undefined) kernel.stopped = true;
    else this.turns[first.cpu]!.value = 0;
  }

  /** Waits until the next action is this CPU's, and until the recorded moment if that is later. */
  *next(cpu: Cpu): KernelCode<Action> {
    const turn = this.turns[cpu.id]!;
    yield* parkUntil(turn, (index) => index >= 0);
    if (this.index === 0) yield* note({ kind: "measureBegin" });
    const action = this.recording.at(this.index)!;
    yield* workUntil(Math.floor(action.cycle * this.cyclesPerTick));
    return action;
  }

  /** The action of `cpu` is done; the next may begin. */
  *pass(cpu: Cpu): KernelCode {
    yield* store(this.turns[cpu.id]!, -1);
    this.index++;
    this.recording.dropBefore(this.index);
    while (this.recording.at(this.index) === undefined && !this.recording.isComplete) {
      this.kernel.starved = true; // the clock stops after this operation until more has been read
      yield* fence();
    }
    const next = this.recording.at(this.index);
    if (next !== undefined) return yield* store(this.turns[next.cpu]!, this.index);
    yield* note({ kind: "measureEnd" });
    this.kernel.stopped = true;
  }
}
