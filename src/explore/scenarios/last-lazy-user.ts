// The last reference on an address space is a lazy one, and its CPU gives it up.

import { exitMm } from "../../kernel/process/exit.ts";
import { kthreadUseMm } from "../../kernel/process/kthread.ts";
import { LEAVES_FREED_MASK, MASK_LEFT_WHEN_LAZY, UNCOUNTED } from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import { UNMAPPED_BREAKS } from "./exit-while-lazy.ts";

export const lastLazyUserLeaves: Scenario = {
  name: "last-lazy-user-leaves",
  summary: "a CPU that alone still borrows an mm, all of whose tasks are gone, switches away",
  cpus: 2,
  breaks: [UNCOUNTED, LEAVES_FREED_MASK, MASK_LEFT_WHEN_LAZY],
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a", 0);
    const b = stage.mm("b");
    stage.switchTo(stage.task(cpu0, "dying", a));
    stage.leaveLazy(cpu1, a);
    stage.exit(cpu0);
    stage.switchTo(stage.task(cpu0, "other", b));
    stage.makeReady(stage.task(cpu1, "next", b));
    return [];
  },
};

export const kthreadLeavesDying: Scenario = {
  name: "kthread-leaves-dying",
  summary:
    "a kernel thread goes by kthread_use_mm from a borrowed mm to another while the first dies",
  cpus: 2,
  breaks: UNMAPPED_BREAKS,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const dying = stage.mm("dying", 0);
    const used = stage.mm("used");
    const task = stage.task(cpu0, "task", dying);
    stage.switchTo(task);
    stage.leaveLazy(cpu1, dying);
    const kthread = stage.task(cpu1, "kthread", null);
    stage.switchTo(kthread);
    return [() => exitMm(task), () => kthreadUseMm(kthread, used)];
  },
};
