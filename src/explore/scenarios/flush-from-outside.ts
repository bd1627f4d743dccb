// A CPU that does not run an address space changes it and flushes: on such a path nothing but an
// explicit barrier orders the change before the look at mm_cpumask.

import { flushRange } from "../../kernel/memory/flush.ts";
import { type KernelCode, writeEntry } from "../../kernel/operation/operation.ts";
import { WRITABLE } from "../../machine/page-table.ts";
import type { Scenario } from "./scenario.ts";
import { onePage } from "./stage.ts";

export const flushFromOutside: Scenario = {
  name: "flush-from-outside",
  summary: "a page of an mm is protected by a CPU of another mm while a reader switches in",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    stage.switchTo(stage.task(cpu0, "outsider", stage.mm("b")));
    stage.makeReady(stage.task(cpu1, "reader", a, () => stage.touch("read")));
    const range = onePage();
    return [
      function* (cpu): KernelCode {
        yield* writeEntry(a, range.start, a.tables.entryAt(range.start) & ~WRITABLE);
        yield* flushRange(cpu, { mm: a, range, freedTables: false });
      },
    ];
  },
};
