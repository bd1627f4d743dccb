// A guest on KVM whose flushes pass over preempted vCPUs: the host flushes them before they run.

import { exitMm } from "../../kernel/exit.ts";
import { call, type Kernel } from "../../kernel/operation.ts";
import { preemptVcpu } from "../../kernel/vcpu.ts";
import { EARLY_FREE, type Scenario } from "../scenario.ts";

/** Their flushes interrupt no preempted vCPU, which then stays on the mm that goes. */
const PASSING_OVER = ["kvm-pv", "kvm-pv-6.18"] as const;

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
      function* (cpu): Kernel {
        yield* preemptVcpu(cpu1);
        yield* call(stage.protectPage(cpu, a));
      },
      () => stage.touch("read"),
    ];
  },
};

/** The same as exit-while-lazy, with the lazy vCPU preempted. */
const exitWhilePreempted = (
  scenario: Pick<Scenario, "name" | "summary" | "breaks">,
  pages: number,
): Scenario => ({
  ...scenario,
  cpus: 2,
  protocols: ["kvm-pv-6.18"],
  everyPolicy: true,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a", pages);
    const dying = stage.task(cpu0, "dying", a);
    stage.switchTo(dying);
    stage.leaveLazy(cpu1, a);
    stage.makeReady(stage.task(cpu1, "other", stage.mm("b"), () => stage.touch("read")));
    return [
      function* (): Kernel {
        yield* preemptVcpu(cpu1);
        yield* exitMm(dying);
      },
    ];
  },
});

export const exitWhileVcpuPreempted = exitWhilePreempted(
  {
    name: "exit-while-vcpu-preempted",
    summary: "the last user of an mm exits while another vCPU is lazy on it and preempted",
    breaks: [
      { policy: "unrefcounted" },
      { policy: "null-prev", protocols: PASSING_OVER },
      { policy: "fewer-parameters", protocols: PASSING_OVER },
      EARLY_FREE,
    ],
  },
  1,
);

export const exitUnmappedWhileVcpuPreempted = exitWhilePreempted(
  {
    name: "exit-unmapped-while-vcpu-preempted",
    summary: "the same with an mm that has nothing mapped any more",
    breaks: [{ policy: "unrefcounted" }, { policy: "null-prev" }, { policy: "fewer-parameters" }],
  },
  0,
);
