// An address space goes over to a global ASID, whose flushes are broadcast, while another CPU comes
// to it with an ASID of its own.

import {
  call,
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
} from "../../kernel/operation/operation.ts";
import { considerGlobalAsid } from "../../kernel/shootdown/global-asid.ts";
import type { Scenario } from "./scenario.ts";

export const broadcastTransition: Scenario = {
  name: "broadcast-transition",
  summary: "an mm gets a global ASID and is flushed by INVLPGB while a CPU switches to it",
  cpus: 2,
  kernel: { invlpgb: true, globalAsidCpus: 0 },
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    stage.switchTo(stage.task(cpu0, "protector", a));
    stage.returningReader(cpu1, a);
    return [
      function* (cpu): KernelCode {
        yield* call(considerGlobalAsid(cpu, a));
        yield* disableInterrupts();
        yield* call(cpu.kernel.protocol.switchMm(cpu, a)); // this CPU goes over at its next switch
        yield* enableInterrupts();
        yield* call(stage.protectPage(cpu, a));
      },
    ];
  },
};
