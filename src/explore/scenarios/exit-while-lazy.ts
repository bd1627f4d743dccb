// The argument of June 2021 in its bare form: the last user of an address space exits while another
// CPU still borrows it.

import type { Cpu } from "../../kernel/state/cpu.ts";
import { exitMm } from "../../kernel/process/exit.ts";
import type { KernelCode } from "../../kernel/operation/operation.ts";
import type { Task } from "../../kernel/state/task.ts";
import {
  ACKNOWLEDGED_BEFORE_FLUSH,
  FLUSH_MOVES_NOBODY,
  MASK_LEFT_WHEN_FLUSHED,
  MASK_LEFT_WHEN_LAZY,
  NOTHING_TO_FLUSH,
  ROOT_FREED_IN_SWITCH,
  TABLES_FREED_IN_SWITCH,
  TOLD_NO_PREV,
  UNCOUNTED,
} from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** What breaks where an mm that is borrowed dies with something mapped, and with nothing. */
export const MAPPED_BREAKS = [
  UNCOUNTED,
  TABLES_FREED_IN_SWITCH,
  FLUSH_MOVES_NOBODY,
  TOLD_NO_PREV,
  MASK_LEFT_WHEN_FLUSHED,
  MASK_LEFT_WHEN_LAZY,
  ACKNOWLEDGED_BEFORE_FLUSH,
];
export const UNMAPPED_BREAKS = [
  UNCOUNTED,
  NOTHING_TO_FLUSH,
  ROOT_FREED_IN_SWITCH,
  MASK_LEFT_WHEN_LAZY,
];

/** CPU 1 idles on `a`, which CPU 0 exits; then CPU 1 goes to a task of `b`. */
export const lazyElsewhere = (
  scenario: Pick<Scenario, "name" | "summary" | "breaks">,
  pages: number,
  leave: (dying: Task, lazy: Cpu) => KernelCode = exitMm,
): Scenario => ({
  ...scenario,
  cpus: 2,
  protocols: ["kvm-pv-6.18"],
  everyPolicy: true,
  prepare(stage: Stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a", pages);
    const b = stage.mm("b");
    const dying = stage.task(cpu0, "dying", a);
    stage.switchTo(dying);
    stage.leaveLazy(cpu1, a);
    const other = stage.task(cpu1, "other", b, () => stage.touch("read"));
    stage.makeReady(other);
    return [() => leave(dying, cpu1)];
  },
});

export const exitWhileLazy = lazyElsewhere(
  {
    name: "exit-while-lazy",
    summary: "the last user of an mm exits while another CPU is lazy on it and then switches away",
    breaks: MAPPED_BREAKS,
  },
  1,
);

export const exitUnmappedWhileLazy = lazyElsewhere(
  {
    name: "exit-unmapped-while-lazy",
    summary: "the same with an mm that has nothing mapped any more: no flush is sent at exit",
    breaks: UNMAPPED_BREAKS,
  },
  0,
);
