// A page and its table are unmapped while another CPU switches from a thread of the mm to another
// process. No lazy policy has a say: mm_cpumask alone says whom the flush waits for.

import { munmap } from "../../kernel/memory/mmap.ts";
import { ACKNOWLEDGED_BY_THREAD, TABLES_FREED_IN_ANY_SWITCH } from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import { onePage } from "./stage.ts";

export const unmapAgainstSwitch: Scenario = {
  name: "unmap-against-switch",
  summary: "a page and its table go while another CPU switches from their mm to another process",
  cpus: 2,
  protocols: ["linux-5.13"],
  onePolicy: true,
  breaks: [TABLES_FREED_IN_ANY_SWITCH, ACKNOWLEDGED_BY_THREAD],
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    stage.switchTo(stage.task(cpu0, "unmapper", a));
    stage.switchTo(stage.task(cpu1, "thread", a));
    stage.makeReady(stage.task(cpu1, "other", stage.mm("b")));
    return [(cpu) => munmap(cpu, a, onePage()), (cpu) => stage.schedule(cpu)];
  },
};
