// A guest on KVM whose flushes pass over preempted vCPUs: the host flushes them before they run.

import type { Cpu } from "../../kernel/state/cpu.ts";
import { exitMm } from "../../kernel/process/exit.ts";
import { call, type KernelCode } from "../../kernel/operation/operation.ts";
import type { Task } from "../../kernel/state/task.ts";
import { preemptVcpu } from "../../kernel/operation/vcpu-operation.ts";
import { FLUSH_PASSES_OVER } from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import { lazyElsewhere, MAPPED_BREAKS, UNMAPPED_BREAKS } from "./exit-while-lazy.ts";

export const protectAgainstEntry: Scenario = {
  name: "protect-against-entry",
  summary: "a page is protected while a vCPU that uses it is preempted and entered again",
  cpus: 2,
  protocols: ["kvm-pv-6.18"],
  prepare(stage) {
    const a = stage.mm("a");
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    stage.switchTo(stage.task(cpu0, "protector", a));
    stage.switchTo(stage.task(cpu1, "reader", a));
    return [
      function* (cpu): KernelCode {
        yield* preemptVcpu(cpu1);
        yield* call(stage.protectPage(cpu, a));
      },
      () => stage.touch("read"),
    ];
  },
};

/** exitMm, while the lazy vCPU is preempted. */
function* exitWhilePreempted(dying: Task, lazy: Cpu): KernelCode {
  yield* preemptVcpu(lazy);
  yield* exitMm(dying);
}

export const exitWhileVcpuPreempted = lazyElsewhere(
  {
    name: "exit-while-vcpu-preempted",
    summary: "the last user of an mm exits while another vCPU is lazy on it and preempted",
    breaks: [FLUSH_PASSES_OVER, ...MAPPED_BREAKS],
  },
  1,
  exitWhilePreempted,
);

export const exitUnmappedWhileVcpuPreempted = lazyElsewhere(
  {
    name: "exit-unmapped-while-vcpu-preempted",
    summary: "the same with an mm that has nothing mapped any more",
    breaks: UNMAPPED_BREAKS,
  },
  0,
  exitWhilePreempted,
);
