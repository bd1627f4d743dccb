// The start of most reports: two threads of one process, each on a CPU of its own.

import type { Scenario, Script } from "../../../src/explore/scenarios/scenario.ts";
import type { Stage } from "../../../src/explore/scenarios/stage.ts";
import { Cell } from "../../../src/kernel/operation/cell.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";

interface Given {
  readonly stage: Stage;
  /** With one page. */
  readonly mm: Mm;
  /** Another one, where nothing is mapped. */
  readonly other: Mm;
  readonly word: Cell<number>;
}

export const twoThreads = (scripts: (given: Given) => readonly Script[]): Scenario => ({
  name: "mine",
  summary: "two threads of one mm",
  cpus: 2,
  prepare(stage) {
    const [mm, other] = [stage.mm("mm"), stage.mm("other", 0)];
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
    return scripts({ stage, mm, other, word: new Cell("word", { index: 0 }, 0) });
  },
});
