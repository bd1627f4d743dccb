// LATR: a page is discarded and its flush left to the other CPU's sweep, whose tick may come at any
// moment, as may the one that gives the page back.

import { postponeUnmap, flushRange } from "../../kernel/memory/flush.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import { exchangeEntry, type KernelCode, note } from "../../kernel/operation/operation.ts";
import { frameOfEntry } from "../../machine/page-table.ts";
import type { Scenario } from "./scenario.ts";
import { onePage } from "./stage.ts";

/** madvise_dontneed of one page, without its locks. */
function* discard(cpu: Cpu, mm: Mm): KernelCode {
  const range = onePage();
  const frame = frameOfEntry(yield* exchangeEntry(mm, range.start, 0n));
  if ((yield* postponeUnmap(cpu, { mm, range, frames: [frame] })) !== null) return;
  yield* flushRange(cpu, { mm, range, freedTables: false });
  yield* note({ kind: "pagesFreed", mm, range });
  cpu.kernel.frames.release(frame);
}

export const postponedUnmap: Scenario = {
  name: "postponed-unmap",
  summary: "a page is discarded while another CPU of its mm reads it, ticks at any moment",
  cpus: 2,
  ticks: true,
  prepare(stage) {
    const a = stage.mm("a");
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, a));
    return [(cpu) => discard(cpu, a), (cpu) => stage.touch("read", { cpu })];
  },
};
