// A page is discarded by two at the same time: the one that finds it gone returns, and relies on a
// flush that is the other's.

import type { PageRange } from "../../base/address.ts";
import { madviseDontNeed } from "../../kernel/memory/madvise.ts";
import { call } from "../../kernel/operation/operation.ts";
import { GATHERS_UNCOUNTED } from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import { onePage } from "./stage.ts";

interface Discards {
  readonly name: string;
  readonly summary: string;
  /** Who discards on CPU 0: a thread of the mm, which both flushes reach, or a kernel thread. */
  readonly by: "discarder" | "oom_reaper";
  readonly range: PageRange;
  readonly tables: number;
}

/** CPU 0 discards a range, a thread on CPU 1 the first page, which it has cached and then reads. */
const nested = ({ name, summary, by, range, tables }: Discards): Scenario => ({
  name,
  summary,
  cpus: 2,
  kernel: { vmaLocks: false }, // of areas' own locks there is nothing to try
  breaks: [GATHERS_UNCOUNTED],
  onePolicy: true,
  prepare(stage) {
    const [cpu0, cpu1] = stage.cpus;
    const a = stage.mm("a", tables);
    stage.switchTo(stage.task(cpu0, by, by === "discarder" ? a : null));
    stage.switchTo(stage.task(cpu1, "reader", a));
    stage.run(cpu1, stage.touch("read", { cpu: cpu1 }));
    return [
      (cpu) => madviseDontNeed(cpu, a, range),
      function* (cpu) {
        yield* call(madviseDontNeed(cpu, a, onePage()));
        yield* stage.touch("read", { cpu });
      },
    ];
  },
});

export const discardsOfOnePage = nested({
  name: "discards-of-one-page",
  summary: "two threads discard the same page, one of them reads it afterwards",
  by: "discarder",
  range: onePage(),
  tables: 1,
});

/** __oom_reap_task_mm: gather, unmap_page_range, flush, as MADV_DONTNEED does. */
export const discardsInTwoTables = nested({
  name: "discards-in-two-tables",
  summary: "the OOM reaper discards pages in two tables, a thread the first of them, and reads it",
  by: "oom_reaper",
  range: { start: onePage().start, end: onePage(1).end },
  tables: 2,
});
