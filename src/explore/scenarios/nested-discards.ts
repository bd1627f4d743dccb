// Two threads discard the same page: the one that finds it gone returns, and relies on a flush that
// is the other's.

import type { PageRange } from "../../base/address.ts";
import { madviseDontNeed } from "../../kernel/memory/madvise.ts";
import { call } from "../../kernel/operation/operation.ts";
import { GATHERS_UNCOUNTED } from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import { onePage } from "./stage.ts";

/** One thread discards `first`, another the first page, which it has cached and then reads. */
const nested = (name: string, summary: string, first: PageRange, tables: number): Scenario => ({
  name,
  summary,
  cpus: 2,
  kernel: { vmaLocks: false }, // of areas' own locks there is nothing to try
  breaks: [GATHERS_UNCOUNTED],
  onePolicy: true,
  prepare(stage) {
    const [cpu0, cpu1] = stage.cpus;
    const a = stage.mm("a", tables);
    stage.switchTo(stage.task(cpu0, "discarder", a));
    stage.switchTo(stage.task(cpu1, "reader", a));
    stage.run(cpu1, stage.touch("read", { cpu: cpu1 }));
    return [
      (cpu) => madviseDontNeed(cpu, a, first),
      function* (cpu) {
        yield* call(madviseDontNeed(cpu, a, onePage()));
        yield* stage.touch("read", { cpu });
      },
    ];
  },
});

export const discardsOfOnePage = nested(
  "discards-of-one-page",
  "two threads discard the same page, one of them reads it afterwards",
  onePage(),
  1,
);

export const discardsInTwoTables = nested(
  "discards-in-two-tables",
  "a thread discards pages in two tables, another the first of them, and reads it",
  { start: onePage().start, end: onePage(1).end },
  2,
);
