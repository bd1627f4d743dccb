// A scenario of one's own: CPU 0 takes a page away and says that it is done, without a flush. CPU 1
// then uses the page. Every protocol breaks, for none is asked.
//
//   npx shootdown explore examples/remap-without-flush.ts --policy refcounted

import { type Scenario, onePage } from "shootdown/explore";
import { Cell, exchangeEntry, flushRange, note, store, waitUntil } from "shootdown/kernel";

const remap = (name: string, flushes: boolean): Scenario => ({
  name,
  summary: `a page is taken away and used again, ${flushes ? "after a flush" : "without a flush"}`,
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = stage.cpus;
    const mm = stage.mm("mm");
    const range = onePage();
    const done = new Cell("done", stage.kernel.allocateLine(0), 0);
    stage.switchTo(stage.task(cpu0, "taker", mm));
    stage.switchTo(stage.task(cpu1, "user", mm));
    return [
      function* (cpu) {
        yield* note({ kind: "revoking", mm, range });
        yield* exchangeEntry(mm, range.start, 0n);
        if (flushes) yield* flushRange(cpu, { mm, range, freedTables: false });
        yield* note({ kind: "revoked", mm, range }); // from here on nobody may use the old page
        yield* store(done, 1);
      },
      function* () {
        yield* waitUntil(done, (value) => value === 1);
        yield* stage.touch("read", { cpu: cpu1 });
      },
    ];
  },
});

export const forgotten = remap("remap-without-flush", false);
export const flushed = remap("remap-with-flush", true);
