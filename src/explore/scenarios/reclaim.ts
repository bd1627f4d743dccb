// Reclaim takes a page away and puts the flush off, while the page's owner relies on page tables.

import type { Cpu } from "../../kernel/cpu.ts";
import type { Mm } from "../../kernel/mm.ts";
import { mprotect } from "../../kernel/mprotect.ts";
import { call, type Kernel } from "../../kernel/operation.ts";
import { reclaim, tryToUnmap } from "../../kernel/reclaim.ts";
import { UnmapBatch } from "../../kernel/unmap-batch.ts";
import type { Scenario } from "../scenario.ts";
import { onePage, type Stage } from "../stage.ts";

/** kswapd on CPU 0 reclaims the page of `a`, whose owner on CPU 1 does something meanwhile. */
const reclaimAgainst = (
  scenario: Pick<Scenario, "name" | "summary">,
  owner: (stage: Stage, cpu: Cpu, mm: Mm) => Kernel,
): Scenario => ({
  ...scenario,
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    stage.switchTo(stage.task(cpu0, "kswapd", null));
    stage.switchTo(stage.task(cpu1, "owner", a));
    const mapped = { mm: a, page: onePage().start };
    return [(cpu) => reclaim(cpu, [mapped]), (cpu) => owner(stage, cpu, a)];
  },
});

export const reclaimAgainstProtect = reclaimAgainst(
  {
    name: "reclaim-against-protect",
    summary: "a page is reclaimed with its flush put off while its owner protects and uses it",
  },
  function* (stage, cpu, mm) {
    yield* call(mprotect(cpu, mm, onePage(), { writable: false, executable: false }));
    yield* stage.touch("read");
  },
);

/** Of the first page another reclaimer has put the flush off, and not made it yet. */
export const reclaimAgainstTwoTables: Scenario = {
  name: "reclaim-against-two-tables",
  summary: "the second of two pages is reclaimed while its owner protects both, a table for each",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a", 2);
    stage.switchTo(stage.task(cpu0, "kswapd", null));
    stage.switchTo(stage.task(cpu1, "owner", a));
    const [first, second] = [onePage(0), onePage(1)];
    stage.run(cpu0, tryToUnmap(cpu0, new UnmapBatch(), { mm: a, page: first.start }));
    return [
      (cpu) => reclaim(cpu, [{ mm: a, page: second.start }]),
      function* (cpu) {
        for (const page of [first, second]) {
          yield* call(mprotect(cpu, a, page, { writable: false, executable: false }));
        }
        yield* stage.touch("read", { index: 1 });
      },
    ];
  },
};

export const reclaimAgainstReader = reclaimAgainst(
  {
    name: "reclaim-against-reader",
    summary: "a page is reclaimed with its flush put off while its owner reads it",
  },
  (stage) => stage.touch("read"),
);
