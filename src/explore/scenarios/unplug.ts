// A CPU that is lazy goes offline (cpu_down) while what it borrows is flushed, or goes away. The
// preparation makes and wakes the threads that take part: with that, there would be too many steps.

import { exit, exitMm } from "../../kernel/process/exit.ts";
import { flushRange } from "../../kernel/memory/flush.ts";
import { reapCpu, schedCpuWaitEmpty, takeCpuDown } from "../../kernel/process/hotplug.ts";
import { type Mm, WHOLE_USER_HALF } from "../../kernel/state/mm.ts";
import { call, type KernelCode } from "../../kernel/operation/operation.ts";
import {
  createMultiStop,
  multiCpuStop,
  runWhenAllStand,
} from "../../kernel/process/stop-machine.ts";
import type { Task } from "../../kernel/state/task.ts";
import { FLUSH_MOVES_NOBODY } from "./breaks.ts";
import type { Scenario, Script } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/**
 * CPU 1, lazy on `a`, leaves its hotplug thread and goes offline for CPU 0. On CPU 2 a task of `a`
 * does `before`, stands still, and exits.
 */
const unplug = (
  scenario: Pick<Scenario, "name" | "summary">,
  before: (stage: Stage, mm: Mm) => Script,
): Scenario => ({
  ...scenario,
  cpus: 3,
  breaks: [FLUSH_MOVES_NOBODY],
  prepare(stage) {
    const [cpu0, cpu1, cpu2] = [stage.cpus[0]!, stage.cpus[1]!, stage.cpus[2]!];
    const a = stage.mm("a");
    const dying = stage.task(cpu2, "dying", a);
    stage.switchTo(dying);
    stage.leaveLazy(cpu1, a);
    stage.switchTo(stage.task(cpu0, "cpu_down", null));
    const hotplug = stage.task(cpu1, "cpuhp/1", null);
    stage.switchTo(hotplug);
    const stop = createMultiStop(cpu0, cpu1, () => takeCpuDown(cpu1));
    const stopper = function* (thread: Task): KernelCode {
      yield* call(multiCpuStop(thread, stop));
      yield* call(exit(thread));
    };
    for (const cpu of [cpu1, cpu2]) {
      stage.makeReady(stage.task(cpu, `migration/${cpu.id}`, null, stopper));
    }
    return [
      function* (): KernelCode {
        yield* call(runWhenAllStand(stop, 2));
        yield* call(reapCpu(cpu0, cpu1));
      },
      function* (): KernelCode {
        yield* call(schedCpuWaitEmpty(hotplug));
        yield* call(exit(hotplug));
      },
      function* (cpu): KernelCode {
        yield* before(stage, a)(cpu);
        yield* call(stage.schedule(cpu));
        yield* call(exitMm(dying));
      },
    ];
  },
});

export const unplugWhileLazy = unplug(
  {
    name: "unplug-while-lazy",
    summary: "a CPU goes offline that is lazy on an mm whose last user exits then",
  },
  (stage) => () => stage.touch("read"),
);

/** The flush of fork or of collapsing a huge page: lazy CPUs are interrupted, too. */
export const unplugAgainstFlush = unplug(
  {
    name: "unplug-against-flush",
    summary: "the same, while an interrupt to the CPU that goes may still be under way",
  },
  (_stage, mm) => (cpu) => flushRange(cpu, { mm, range: WHOLE_USER_HALF, freedTables: true }),
);
