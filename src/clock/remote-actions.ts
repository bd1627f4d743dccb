// Intel's Remote Action Request, for the clock: the vector goes by the APIC like any other, but
// what answers is microcode. It looks at no interrupt flag (RAR_CTRL.IGNORE_IF), enters no kernel,
// invalidates, and writes success into the action vector. What it takes is stolen from the core.

import type { Broadcast } from "../machine/broadcast.ts";
import { pagesIn } from "../base/address.ts";
import type { Activation } from "../kernel/operation/activation.ts";
import type { Cell } from "../kernel/operation/cell.ts";
import type { Cpu } from "../kernel/state/cpu.ts";
import { ACTION_DONE, type SendActions } from "../kernel/operation/remote-operation.ts";
import type { Timeline } from "./timeline.ts";

interface PendingAction {
  readonly arrival: number;
  readonly what: Broadcast;
  readonly status: Cell<number>;
}

export class RemoteActions {
  private readonly pending: PendingAction[][];

  constructor(cpuCount: number) {
    this.pending = Array.from({ length: cpuCount }, () => []);
  }

  /** When the first action that is on its way to the CPU arrives; Infinity: none is. */
  nextCycle(cpu: Cpu): number {
    return this.pending[cpu.id]![0]?.arrival ?? Infinity;
  }

  /** The ICR has been written for these targets. */
  send(clock: Timeline, cpu: Cpu, { what, targets }: SendActions): void {
    const { machine, cpus } = clock.kernel;
    for (const { cpu: target, status } of targets) {
      const arrival = machine.now(cpu.id) + machine.remote.deliveryCycles(cpu.id, target);
      const queue = this.pending[target]!;
      queue.push({ arrival, what, status });
      queue.sort((a, b) => a.arrival - b.arrival);
      if (target !== cpu.id) clock.reschedule(cpus[target]!);
    }
  }

  /** The first action has arrived at the CPU, whose code on top is `top`. */
  answerFirst(clock: Timeline, cpu: Cpu, top: Activation): void {
    const { machine } = clock.kernel;
    const { arrival, what, status } = this.pending[cpu.id]!.shift()!;
    const before = machine.now(cpu.id);
    machine.advanceTo(cpu.id, arrival);
    const start = machine.now(cpu.id);
    if (top.activity === "working") top.workLeft = Math.max(0, top.workLeft - (start - before));
    machine.advance(cpu.id, cyclesOf(clock, what, top.asleep));
    machine.remote.invalidate(cpu.id, what);
    clock.emit(cpu, { kind: "invalidatedRemotely", what, cpus: [cpu.id] });
    machine.lineStore(cpu.id, status.line.index);
    status.value = ACTION_DONE;
    clock.changed(status, cpu);
    clock.emit(cpu, { kind: "remoteActionDone", cycles: machine.now(cpu.id) - start });
  }
}

/** A core that sleeps wakes for it, and sleeps on. */
function cyclesOf({ kernel }: Timeline, what: Broadcast, asleep: boolean): number {
  const { instruction, remoteActionCycles } = kernel.machine.description;
  const entry = remoteActionCycles + (asleep ? instruction.idleExit : 0);
  if (what.extent === "pages") return entry + pagesIn(what.range) * instruction.invlpg;
  return entry + instruction.invpcid[what.extent === "pcid" ? 1 : what.extent === "all" ? 2 : 3];
}
