// Two CPUs of one address space flush at the same time, each the other's TLB.

import type { Cpu } from "../../kernel/state/cpu.ts";
import { call, type KernelCode } from "../../kernel/operation/operation.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** Protects one page and reads another. */
const flusher = (stage: Stage, own: number, other: number) =>
  function* (cpu: Cpu): KernelCode {
    yield* call(stage.protectPage(cpu, cpu.current.mm!, own));
    yield* stage.touch("read", { index: other });
  };

export const twoFlushers: Scenario = {
  name: "two-flushers",
  summary: "two CPUs of one mm protect a page each, and read the one that the other protects",
  cpus: 2,
  prepare(stage) {
    const a = stage.mm("a", 2);
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, a));
    return [flusher(stage, 0, 1), flusher(stage, 1, 0)];
  },
};
