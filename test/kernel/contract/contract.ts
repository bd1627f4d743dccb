// What a kernel function needs of its callers, as a row of a table: the need, the Linux function
// that is reported where it is not met, and a call.

import { type PageRange, pageRange } from "../../../src/base/address.ts";
import type { Cell } from "../../../src/kernel/operation/cell.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { VMALLOC_START } from "../../../src/kernel/memory/vmalloc.ts";
import type { Area } from "../../../src/kernel/state/area.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type {
  FlushRequest,
  ShootdownProtocol,
} from "../../../src/kernel/state/shootdown-protocol.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { Task } from "../../../src/kernel/state/task.ts";
import { memory } from "../lab.ts";
import type { Need } from "./need.ts";

/** What a call works on: a CPU whose task has `mm` loaded, and another CPU. */
export interface Given {
  readonly cpu: Cpu;
  readonly other: Cpu;
  readonly mm: Mm;
  readonly task: Task;
  /** A page of `mm`, and one of the kernel half. */
  readonly range: PageRange;
  readonly kernelRange: PageRange;
  readonly area: Area;
  readonly request: FlushRequest;
  /** The lock of the table that maps the page. */
  readonly tableLock: Cell<number>;
}

export type Does = (given: Given) => KernelCode<unknown>;

interface Special {
  /** What is done before, whatever the need is: with interrupts on, and no lock held. */
  readonly before?: Does;
  /** A kernel that has what the function is part of; linux-5.13 unless given. */
  readonly protocol?: ShootdownProtocol;
  readonly pti?: true;
  /** The call does not come back, or leaves what a test cannot go on from. */
  readonly comesBack?: false;
}

export interface Contract extends Special {
  /** By the function that is reported. */
  readonly needs: Readonly<Record<string, Need | readonly Need[]>>;
  readonly does: Does;
}

/** A contract, or why there is none. */
export type Row = Contract | string;

/** The functions of a file, or what all of them are. */
export type Rows = Readonly<Record<string, Readonly<Record<string, Row>> | string>>;

export const needs = (needed: Contract["needs"], does: Does, special: Special = {}): Contract => ({
  needs: needed,
  does,
  ...special,
});

export function givenOf(cpu: Cpu, other: Cpu, mm: Mm): Given {
  const range = memory(1);
  return {
    cpu,
    other,
    mm,
    task: cpu.current,
    range,
    kernelRange: pageRange(VMALLOC_START, 1),
    area: mm.areas.at(range.start)!,
    request: { mm, range, freedTables: false },
    tableLock: mm.pageTableLocks.of(range.start, "4K"),
  };
}

/** The task is one that goes back to user mode. */
export const asUserTask = (does: Does): Does =>
  function* (given) {
    given.task.isKernelThread = false;
    yield* does(given);
  };

export function* nothing(): KernelCode {}
