// A kernel thread uses a user's address space while its last task exits.

import { exitMm } from "../../kernel/process/exit.ts";
import { kthreadUnuseMm, kthreadUseMm } from "../../kernel/process/kthread.ts";
import { mmput } from "../../kernel/memory/mm-count.ts";
import { call, type KernelCode } from "../../kernel/operation/operation.ts";
import { ACKNOWLEDGED_BEFORE_FLUSH, FLUSH_MOVES_NOBODY, TOLD_NO_PREV } from "./breaks.ts";
import type { Scenario } from "./scenario.ts";

export const kthreadAgainstExit: Scenario = {
  name: "kthread-against-exit",
  summary: "a kernel thread uses an mm by kthread_use_mm while the mm's last task exits",
  cpus: 2,
  breaks: [FLUSH_MOVES_NOBODY, TOLD_NO_PREV, ACKNOWLEDGED_BEFORE_FLUSH],
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    const task = stage.task(cpu0, "task", a);
    stage.switchTo(task);
    const thread = stage.task(cpu1, "kthread", null);
    stage.switchTo(thread);
    a.mmUsers.value++; // mmget: the thread's own user, for as long as it uses the mm
    return [
      () => exitMm(task),
      function* (cpu): KernelCode {
        yield* call(kthreadUseMm(thread, a));
        yield* call(kthreadUnuseMm(thread));
        yield* call(mmput(cpu, a));
      },
    ];
  },
};
