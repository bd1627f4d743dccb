// A page is taken away while another CPU comes to its address space: the window between what the
// flusher reads of that CPU and what that CPU reads of the flush.

import { madviseDontNeed } from "../../kernel/memory/madvise.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import type { Scenario } from "./scenario.ts";
import { onePage, type Stage } from "./stage.ts";

/** CPU 0 discards the page of an mm of which `comeBack` has a thread on CPU 1 come back. */
const discardAgainst = (
  scenario: Pick<Scenario, "name" | "summary">,
  comeBack: (stage: Stage, cpu: Cpu, mm: Mm) => void,
): Scenario => ({
  ...scenario,
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    stage.switchTo(stage.task(cpu0, "discarder", a));
    comeBack(stage, cpu1, a);
    return [(cpu) => madviseDontNeed(cpu, a, onePage())];
  },
});

export const discardAgainstSwitchIn = discardAgainst(
  {
    name: "discard-against-switch-in",
    summary:
      "a page is discarded while another CPU switches from one mm to the page's, and reads it",
  },
  (stage, cpu, mm) => stage.returningReader(cpu, mm),
);

export const discardAgainstUnlazy = discardAgainst(
  {
    name: "discard-against-unlazy",
    summary:
      "a page is discarded while a CPU that is lazy on its mm returns to user mode, and reads it",
  },
  (stage, cpu, mm) => stage.makeReady(stage.reader(cpu, mm)),
);
