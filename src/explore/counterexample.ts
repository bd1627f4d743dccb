// A failing schedule told step by step: who, in which Linux function, does what, and what waits in
// store buffers and is cached meanwhile.

import { unreachable } from "../base/assert.ts";
import { describeOperation } from "../check/describe-operation.ts";
import { lastOrigin, recordingOrigins } from "../kernel/operation/origin.ts";
import type { CpuState } from "./execution/cpu-state.ts";
import type { ScenarioSystem } from "./execution/scenario-system.ts";
import { cpuOf, kindOf, type ProcessKind, processOf } from "./execution/processes.ts";
import type { Step } from "./search/search.ts";
import { Choices } from "./search/system.ts";
import { describeStore } from "./execution/store-buffer.ts";

export interface ScheduledStep {
  readonly cpu: number;
  readonly does: ProcessKind;
  /** Decisions inside the step; none: left out. */
  readonly choices?: readonly number[];
  /** Linux functions, innermost first. */
  readonly functions: readonly string[];
  readonly operation: string;
}

/** What a CPU holds after a step, where it matters. */
export interface HeldByCpu {
  /** Oldest first. */
  readonly buffered: readonly string[];
  /** Pages of which it may use a translation older than the page tables. */
  readonly older: readonly string[];
  readonly interrupts: readonly number[];
}

export interface Counterexample {
  readonly invariant: string;
  readonly message: string;
  /** Where the other CPUs stand at that moment. */
  readonly explanation: string;
  readonly schedule: readonly ScheduledStep[];
  /** The variables that were taken for shared: what touches no other is no step of its own. */
  readonly shared: readonly string[];
  /** By step, by CPU. */
  readonly held: readonly (readonly HeldByCpu[])[];
}

/** Replays `schedule`, which must end in a violation, and tells it. */
export function tell(system: ScenarioSystem, schedule: readonly Step[]): Counterexample {
  return recordingOrigins(() => new Narrator(system).tell(schedule));
}

/** The process and the decisions of a step that has been written down. */
export const stepOf = ({ cpu, does, choices = [] }: ScheduledStep): Step => ({
  process: processOf(cpu, does),
  choices,
});

class Narrator {
  /** By CPU: the functions in which its next operation was made. */
  private readonly places: (readonly string[])[];

  constructor(private readonly system: ScenarioSystem) {
    this.places = system.executor.states.map(() => []);
  }

  tell(schedule: readonly Step[]): Counterexample {
    const { system, places } = this;
    const { states } = system.executor;
    system.executor.onAdvanced = (cpu) => void (places[cpu] = functionsOf(lastOrigin()));
    system.restart();
    const steps: ScheduledStep[] = [];
    const held: HeldByCpu[][] = [];
    for (const step of schedule) {
      steps.push(this.describe(step));
      system.step(step.process, new Choices(step.choices));
      held.push(states.map(holds));
    }
    if (!system.failed) system.conclude();
    system.executor.onAdvanced = () => {};
    const { violation } = system;
    // No step: what a script does first was against its contract.
    const acting = steps.at(-1)?.cpu ?? violation.cpus[0];
    const explanation = states
      .filter(({ cpu }) => cpu.id !== acting)
      .map((state) => this.standing(state))
      .join("; ");
    const { invariant } = violation;
    // There is no time here: a moment is the number of a step.
    const message = violation.message.replaceAll("at cycle", "at step");
    const shared = system.executor.locations.sharedNames;
    return { invariant, message, explanation, schedule: steps, shared, held };
  }

  private describe({ process, choices }: Step): ScheduledStep {
    const cpu = cpuOf(process);
    const does = kindOf(process);
    const state = this.system.executor.states[cpu]!;
    return {
      cpu,
      does,
      ...(choices.length > 0 && { choices }),
      functions: does === "step" ? this.places[cpu]! : [],
      operation: operationOf(state, does),
    };
  }

  /** For example "CPU 1 is in switch_mm_irqs_off, before MOV CR3". */
  private standing(state: CpuState): string {
    const [where = "its first instruction"] = this.places[state.cpu.id]!;
    const lazy = state.buffer.valueOf(state.cpu.tlb.isLazy) === true ? ", lazy" : "";
    const next = describeOperation(state.top.pending!);
    return `CPU ${state.cpu.id}${lazy} is in ${where}, before: ${next}`;
  }
}

function operationOf(state: CpuState, does: ScheduledStep["does"]): string {
  switch (does) {
    case "step":
      return describeOperation(state.top.pending!);
    case "drain":
      return `store buffer: ${describeStore(state.buffer.waiting[0]!)} reaches memory`;
    case "enter":
      return "the host lets the vCPU run";
    case "interrupt":
      return `interrupt 0x${state.pendingVectors.at(-1)!.toString(16)}`;
    default:
      return unreachable(does);
  }
}

const functionsOf = (names: readonly string[]): readonly string[] =>
  names.filter((name, index, all) => name !== all[index - 1]);

const holds = ({ buffer, tlb, pendingVectors }: CpuState): HeldByCpu => ({
  buffered: buffer.waiting.map(describeStore),
  older: tlb.older,
  interrupts: [...pendingVectors],
});
