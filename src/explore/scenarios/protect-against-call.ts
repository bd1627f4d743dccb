// A page's rights go while another CPU of the mm comes out of a system call that has nothing to do.

import { madviseDontNeed } from "../../kernel/memory/madvise.ts";
import type { Scenario } from "./scenario.ts";
import { onePage } from "./stage.ts";

export const protectAgainstCall: Scenario = {
  name: "protect-against-call",
  summary: "a page is protected while another CPU of the mm ends a system call, and reads it",
  cpus: 2,
  prepare(stage) {
    const a = stage.mm("a");
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, a));
    return [
      (cpu) => stage.protectPage(cpu, a),
      function* (cpu) {
        yield* madviseDontNeed(cpu, a, onePage(1));
        yield* stage.touch("read", { cpu });
      },
    ];
  },
};
