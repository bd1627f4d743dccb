// exec: a task changes its address space without a context switch, while flushes of the old one
// arrive.

import { madviseDontNeed } from "../../kernel/memory/madvise.ts";
import { mmput } from "../../kernel/memory/mm-count.ts";
import { call, type KernelCode } from "../../kernel/operation/operation.ts";
import type { Scenario } from "./scenario.ts";
import { onePage } from "./stage.ts";

export const execAgainstFlush: Scenario = {
  name: "exec-against-flush",
  summary: "a thread goes to a new mm by exec while another discards a page of the old one",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const old = stage.mm("old");
    const image = stage.mm("image");
    stage.switchTo(stage.task(cpu0, "discarder", old));
    const task = stage.task(cpu1, "exec", old);
    stage.switchTo(task);
    return [
      (cpu) => madviseDontNeed(cpu, old, onePage()),
      function* (cpu): KernelCode {
        yield* call(cpu.kernel.lazyPolicy.execMm(cpu, task, image));
        yield* call(mmput(cpu, old));
        yield* stage.touch("read");
      },
    ];
  },
};
