// What code from outside has done in an execution, operation by operation, and whether it does the
// same again in the same order of steps. State that nobody takes back, or chance, makes it differ.

import { BadInput } from "../../base/bad-input.ts";
import { describeOperation } from "../../check/describe-operation.ts";
import type { Operation } from "../../kernel/operation/operation.ts";
import type { Step } from "../search/search.ts";
import { difference, isAlike, saying } from "./alike.ts";
import { cpuOf, kindOf } from "./processes.ts";

/** An operation that code has yielded, and what the one before has given it. */
interface Done {
  readonly cpu: number;
  readonly result: unknown;
  /** Null: the code has ended. */
  readonly operation: Operation | null;
}

interface Begun {
  /** Processes that could take a step then. */
  readonly enabled: number;
  /** How much had been done before. */
  readonly start: number;
}

/** An execution as it went, or as far as it went. */
export interface Account {
  readonly schedule: readonly Step[];
  readonly begun: readonly Begun[];
  readonly done: readonly Done[];
  /** Whether a check had failed at its end. */
  readonly failed: boolean;
}

const REMEDY = "keep state in cells, take no chance";

export class Witness {
  private begun: Begun[] = [];
  private done: Done[] = [];
  private readonly schedule: Step[] = [];
  /** Operations of the execution in progress. */
  private count = 0;
  /** The step in progress, counted from 1; 0: none has begun. */
  private at = 0;
  /** What happens now has happened before. */
  private isAgain = false;

  /** @param name - the scenario's */
  constructor(private readonly name: string) {}

  /** What the next execution is compared with; null: with nothing. */
  expect(account: Account | null): void {
    this.begun = [...(account?.begun ?? [])];
    this.done = [...(account?.done ?? [])];
  }

  account(failed: boolean): Account {
    const { schedule, begun, done } = this;
    return { schedule: [...schedule], begun: [...begun], done: [...done], failed };
  }

  /** An execution begins. */
  restart(): void {
    this.schedule.length = 0;
    this.count = 0;
    this.at = 0;
    this.isAgain = this.done.length > 0;
  }

  /** A step begins that is not known. */
  step(enabled: number): void {
    const index = this.at++;
    this.checkCount(index);
    this.isAgain = false;
    this.begun.length = index;
    this.done.length = this.count;
    this.begun.push({ enabled, start: this.count });
  }

  /** A step begins that was taken in the same place before. */
  repeat(enabled: number): void {
    const index = this.at++;
    this.checkCount(index);
    const known = this.begun[index]!;
    if (known.enabled !== enabled) this.diverged(possible(known.enabled), possible(enabled));
  }

  /** The step that has begun is over, and this was it. */
  took(step: Step): void {
    this.schedule.push(step);
  }

  /** Code on a CPU has gone on, with the result of its last operation, to this one. */
  see(cpu: number, result: unknown, operation: Operation | null): void {
    if (this.isAgain) this.compare({ cpu, result, operation });
    else this.done.push({ cpu, result, operation: asItIs(operation) });
    this.count++;
  }

  /** An execution was to end as the one before. */
  end(failed: boolean, known: Account): void {
    if (this.count < known.done.length) this.checkCount(this.begun.length);
    if (failed !== known.failed) this.diverged(verdict(known.failed), verdict(failed));
  }

  private checkCount(index: number): void {
    const start = this.begun[index]?.start ?? this.done.length;
    if (this.isAgain && start !== this.count) {
      this.diverged(describe(this.done[this.count]), "nothing");
    }
  }

  private compare(now: Done): void {
    const known = this.done[this.count];
    if (known === undefined || known.cpu !== now.cpu) this.diverged(describe(known), describe(now));
    if (!isAlike(known.result, now.result)) {
      const last = this.done.slice(0, this.count).findLast(({ cpu }) => cpu === now.cpu);
      this.diverged(`${describe(last)} = ${saying(known.result)}`, saying(now.result));
    }
    if (isAlike(known.operation, now.operation)) return;
    const [was, is] = [describe(known), describe(now)];
    if (was !== is) this.diverged(was, is);
    const [before, after] = difference(known.operation!, now.operation!);
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
