// Reclaim takes a page away and puts the flush off, while the page's owner relies on page tables.

import type { PageRange } from "../../base/address.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import { mprotect } from "../../kernel/memory/mprotect.ts";
import { call, type KernelCode, note } from "../../kernel/operation/operation.ts";
import { underEachLock } from "../../kernel/locking/page-table-lock.ts";
import { reclaim, tryToUnmap } from "../../kernel/memory/reclaim.ts";
import { flushBatchedPending, UnmapBatch } from "../../kernel/memory/unmap-batch.ts";
import { BATCH_FORGOTTEN, BATCH_UNNOTED } from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import { onePage, type Stage } from "./stage.ts";

/** kswapd on CPU 0 reclaims the page of `a`, whose owner on CPU 1 does something meanwhile. */
const reclaimAgainst = (
  scenario: Pick<Scenario, "name" | "summary" | "breaks">,
  owner: (stage: Stage, cpu: Cpu, mm: Mm) => KernelCode<unknown>,
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
    breaks: [BATCH_UNNOTED],
    summary: "a page is reclaimed with its flush put off while its owner protects and uses it",
  },
  function* (stage, cpu, mm) {
    yield* call(mprotect(cpu, mm, onePage(), { writable: false, executable: false }));
    yield* stage.touch("read");
  },
);

/** Of the first page the flush has been put off before; neither is made yet. */
export const reclaimAgainstTwoTables: Scenario = {
  name: "reclaim-against-two-tables",
  breaks: [BATCH_UNNOTED, BATCH_FORGOTTEN],
  summary: "a page is taken away while its owner relies on its table, and on that of another page",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a", 2);
    stage.switchTo(stage.task(cpu0, "kswapd", null));
    stage.switchTo(stage.task(cpu1, "owner", a));
    const [first, second] = [onePage(0), onePage(1)];
    const takeAway = (cpu: Cpu, { start: page }: PageRange) =>
      tryToUnmap(cpu, new UnmapBatch(), { mm: a, page });
    stage.run(cpu0, takeAway(cpu0, first));
    return [
      (cpu) => takeAway(cpu, second),
      function* (cpu) {
        for (const range of [first, second]) {
          yield* note({ kind: "revoking", mm: a, range });
          yield* underEachLock(a, range, "4K", () => flushBatchedPending(cpu, a));
          yield* note({ kind: "revoked", mm: a, range });
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
