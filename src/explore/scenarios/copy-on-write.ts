// Copy-on-write against a reader, after the reproducer of CVE-2025-40174: once the writer's new
// page is in place, a reader that comes back from another process must not see the old one.

import { copyMm } from "../../kernel/process/fork.ts";
import type { Scenario } from "./scenario.ts";

export const copyOnWriteAgainstReader: Scenario = {
  name: "copy-on-write-against-reader",
  summary: "a shared page is copied for its writer while a reader of the same mm switches in",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    stage.switchTo(stage.task(cpu0, "writer", a));
    stage.run(cpu0, copyMm(cpu0, a, "child"));
    stage.returningReader(cpu1, a);
    return [() => stage.touch("write")];
  },
};
