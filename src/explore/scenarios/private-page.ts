// ABIS: a page that one CPU has faulted in is discarded. Whom the flush is for depends on whether
// the other CPU has used it by then.

import type { Cpu } from "../../kernel/state/cpu.ts";
import { madviseDontNeed } from "../../kernel/memory/madvise.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import { call, type KernelCode } from "../../kernel/operation/operation.ts";
import type { Scenario } from "./scenario.ts";
import { onePage, type Stage } from "./stage.ts";

/** Both CPUs run an mm whose page CPU `faulter` has just faulted in. */
function faultedIn(stage: Stage, faulter: number): Mm {
  const mm = stage.mm("a");
  for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
  const cpu = stage.cpus[faulter]!;
  stage.run(cpu, madviseDontNeed(cpu, mm, onePage()));
  stage.run(cpu, stage.touch("write", { cpu }));
  return mm;
}

export const discardOfPrivatePage: Scenario = {
  name: "discard-of-private-page",
  summary: "a page is discarded while the CPU that has faulted it in reads it",
  cpus: 2,
  protocols: ["abis"],
  prepare(stage) {
    const mm = faultedIn(stage, 1);
    return [(cpu) => madviseDontNeed(cpu, mm, onePage()), (cpu) => stage.touch("read", { cpu })];
  },
};

export const discardOfOwnPage: Scenario = {
  name: "discard-of-own-page",
  summary: "a CPU discards the page that it has faulted in while another reads it twice",
  cpus: 2,
  protocols: ["abis"],
  prepare(stage) {
    const mm = faultedIn(stage, 0);
    const readTwice = function* (cpu: Cpu): KernelCode {
      yield* call(stage.touch("read", { cpu }));
      yield* stage.touch("read", { cpu });
    };
    return [(cpu) => madviseDontNeed(cpu, mm, onePage()), readTwice];
  },
};
