// What code from outside has done in an execution, operation by operation, and whether it does the
// same again in the same order of steps. State that nobody takes back, or chance, makes it differ.

import { BadInput } from "../../base/bad-input.ts";
import { describeOperation } from "../../check/describe-operation.ts";
import type { Operation } from "../../kernel/operation/operation.ts";
import { difference, isAlike, saying } from "./alike.ts";
import { cpuOf, kindOf } from "./processes.ts";

/** An operation that code has yielded, and what the one before has given it. */
interface Done {
  cpu: number;
  result: unknown;
  /** Null: the code has ended. */
  operation: Operation | null;
}

/** A step, and what was before it. */
interface Taken {
  process: number;
  choices: readonly number[];
  /** Processes that could take a step then. */
  enabled: number;
  /** How much had been done. */
  start: number;
}

/** An execution as it went, or as far as it went. */
export interface Account {
  readonly steps: readonly Readonly<Taken>[];
  readonly done: readonly Readonly<Done>[];
  /** Whether a check had failed at its end. */
  readonly failed: boolean;
}

const REMEDY = "keep state in cells, take no chance";

export class Witness {
  // What is written down is kept, to be written over: only so much of it counts.
  private steps: Taken[] = [];
  private stepCount = 0;
  private done: Done[] = [];
  private doneCount = 0;
  /** The step in progress, counted from 1; 0: none has begun. */
  private at = 0;
  /** Operations of the execution in progress. */
  private count = 0;
  /** What happens now has happened before. */
  private isAgain = false;

  /** @param name - the scenario's */
  constructor(private readonly name: string) {}

  /** What the next execution is compared with; null: with nothing. */
  expect(account: Account | null): void {
    this.steps = account?.steps.map((step) => ({ ...step })) ?? [];
    this.done = account?.done.map((done) => ({ ...done })) ?? [];
    this.stepCount = this.steps.length;
    this.doneCount = this.done.length;
  }

  account(failed: boolean): Account {
    return {
      steps: this.steps.slice(0, this.stepCount).map((step) => ({ ...step })),
      done: this.done.slice(0, this.doneCount).map((done) => ({ ...done })),
      failed,
    };
  }

  /** An execution begins. */
  restart(): void {
    this.at = 0;
    this.count = 0;
    this.isAgain = this.doneCount > 0;
  }

  /** A step begins that is not known. */
  step(process: number, enabled: number): void {
    this.checkCount();
    const index = this.at++;
    this.isAgain = false;
    const step = (this.steps[index] ??= { process, choices: [], enabled, start: 0 });
    step.process = process;
    step.enabled = enabled;
    step.start = this.count;
    this.stepCount = this.at;
    this.doneCount = this.count;
  }

  /** That step is over, and these were its choices. */
  chose(choices: readonly number[]): void {
    this.steps[this.at - 1]!.choices = choices;
  }

  /** A step begins that was taken in the same place before. */
  repeat(enabled: number): void {
    this.checkCount();
    const known = this.steps[this.at++]!;
    if (known.enabled !== enabled) this.diverged(possible(known.enabled), possible(enabled));
  }

  /** Code on a CPU has gone on, with the result of its last operation, to this one. */
  see(cpu: number, result: unknown, operation: Operation | null): void {
    const index = this.count++;
    if (this.isAgain) return this.compare(index, cpu, result, operation);
    const done = (this.done[index] ??= { cpu, result, operation });
    done.cpu = cpu;
    done.result = result;
    done.operation = asItIs(operation);
    this.doneCount = this.count;
  }

  /** An execution was to end as the one before. */
  end(failed: boolean, known: Account): void {
    this.checkCount();
    if (failed !== known.failed) this.diverged(verdict(known.failed), verdict(failed));
  }

  /** Before a step, as much has been done as then. */
  private checkCount(): void {
    if (!this.isAgain) return;
    const start = this.at < this.stepCount ? this.steps[this.at]!.start : this.doneCount;
    if (start !== this.count) this.diverged(describe(this.done[this.count]), "nothing");
  }

  private compare(index: number, cpu: number, result: unknown, operation: Operation | null): void {
    const known = index < this.doneCount ? this.done[index] : undefined;
    const isKnown = known !== undefined && known.cpu === cpu;
    if (isKnown && isAlike(known.result, result) && isAlike(known.operation, operation)) return;
    const is = describe({ cpu, result, operation });
    if (!isKnown) this.diverged(describe(known), is);
    if (!isAlike(known.result, result)) {
      const last = this.done.slice(0, index).findLast((each) => each.cpu === cpu);
      this.diverged(`${describe(last)} = ${saying(known.result)}`, saying(result));
    }
    const was = describe(known);
    if (was !== is) this.diverged(was, is);
    const [before, after] = difference(known.operation!, operation!);
    this.diverged(`${was}, ${before}`, after);
  }

  private diverged(was: string, is: string): never {
    const where = this.at === 0 ? "at the start" : `at step ${this.at}`;
    const remedy = `the replay diverged ${where}: ${REMEDY}`;
    throw new BadInput(this.name, `recorded ${was}, now ${is}`, remedy);
  }
}

/** Accesses in user mode hold how far they are. */
const asItIs = (operation: Operation | null): Operation | null =>
  operation?.kind === "runUser" ? { ...operation, stream: { ...operation.stream } } : operation;

const verdict = (failed: boolean): string => (failed ? "a violation" : "no violation");

function describe(done: Done | undefined): string {
  if (done === undefined) return "nothing";
  const { cpu, operation } = done;
  return `CPU ${cpu} ${operation === null ? "return" : describeOperation(operation)}`;
}

/** Which steps can be taken. */
function possible(enabled: number): string {
  const processes = Array.from({ length: 31 }, (_, process) => process);
  const able = processes.filter((process) => (enabled & (1 << process)) !== 0);
  const each = able.map((process) => `${kindOf(process)} of CPU ${cpuOf(process)}`);
  return each.length === 0 ? "no step" : each.join(" or ");
}
