// call_usermodehelper: a kernel thread that borrows the address space of whoever asked for it
// becomes a program, on a CPU on which somebody else is woken meanwhile.

import { returnToUser } from "../../kernel/cpu/interrupt.ts";
import { call, type KernelCode } from "../../kernel/operation/operation.ts";
import { wakeUp } from "../../kernel/cpu/schedule.ts";
import type { Scenario } from "./scenario.ts";

export const execWhileLazy: Scenario = {
  name: "exec-while-lazy",
  summary: "a kernel thread that borrows an mm executes a program while another task is woken",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const image = stage.mm("image");
    const requester = stage.reader(cpu1, stage.mm("requester"));
    const thread = stage.task(cpu1, "usermodehelper", null);
    stage.switchTo(thread);
    const woken = stage.task(cpu1, "woken", stage.mm("b"), (task) => stage.goToSleep(task));
    stage.switchTo(stage.task(cpu0, "waker", null));
    return [
      (cpu) => wakeUp(cpu, woken),
      function* (cpu): KernelCode {
        yield* call(cpu.kernel.lazyPolicy.execMm(cpu, thread, image));
        yield* call(wakeUp(cpu, requester)); // complete: the program has begun
        yield* call(returnToUser(cpu));
        yield* stage.touch("read");
      },
    ];
  },
};
