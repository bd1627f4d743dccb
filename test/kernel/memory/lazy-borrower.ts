// Another CPU has borrowed the mm and is lazy: whom a memory system call interrupts tells whether
// it says that page tables are freed.

import { expect } from "vitest";
import type { PageRange } from "../../../src/base/address.ts";
import type { PageSize } from "../../../src/machine/description.ts";
import { mmap } from "../../../src/kernel/memory/mmap.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { protocols, type ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { goLazy, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

export interface Borrowed {
  readonly protocol: ProtocolName;
  /** The area: all of it is touched. */
  readonly pages: number;
  readonly pageSize?: PageSize;
  readonly act: (cpu: Cpu, mm: Mm, range: PageRange) => KernelCode;
}

/** CPU 0 acts on an area of the mm, which CPU 1 has lazily. */
export function withLazyBorrower({ protocol, pages, pageSize = "4K", act }: Borrowed): Outcome {
  let mm: Mm;
  const owner: Script = function* (cpu, lab) {
    mm = lab.mm("mm", 8);
    yield* runOn(cpu, mm);
    const range = yield* mmap(cpu, mm, { pageCount: pages, pageSize });
    yield* touch(range, "write");
    yield* lab.done(1);
    yield* lab.after(2);
    yield* act(cpu, mm, range);
    yield* lab.done(3);
  };
  const borrower: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm);
    yield* goLazy(cpu);
    yield* lab.done(2);
    yield* lab.after(3);
  };
  const outcome = play({ protocol: protocols[protocol] }, owner, borrower);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

/** How often CPU 1 was interrupted. */
export const interruptsOf = (borrowed: Borrowed): number =>
  eventsOf(withLazyBorrower(borrowed), "ipiSent").length;
