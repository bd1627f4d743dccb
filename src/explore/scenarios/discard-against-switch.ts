// A page is taken away while another CPU comes to its address space: the window between what the
// flusher reads of that CPU and what that CPU reads of the flush.

import { madviseDontNeed } from "../../kernel/madvise.ts";
import type { Task } from "../../kernel/task.ts";
import type { Scenario } from "../scenario.ts";
import { onePage, type Stage } from "../stage.ts";

/** CPU 0 runs a thread of `a`; another one of it, `reader`, has run on CPU 1 and sleeps. */
function twoThreads(stage: Stage): Task {
  const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
  const a = stage.mm("a");
  stage.switchTo(stage.task(cpu0, "discarder", a));
  const reader = stage.task(cpu1, "reader", a, () => stage.touch("read"));
  stage.switchTo(reader);
  stage.sleep(cpu1);
  return reader;
}

const discard = (reader: Task) => (cpu: Task["cpu"]) => madviseDontNeed(cpu, reader.mm!, onePage());

export const discardAgainstSwitchIn: Scenario = {
  name: "discard-against-switch-in",
  summary: "a page is discarded while another CPU switches from one mm to the page's, and reads it",
  cpus: 2,
  prepare(stage) {
    const reader = twoThreads(stage);
    const other = stage.task(stage.cpus[1]!, "other", stage.mm("b"));
    stage.switchTo(other);
    stage.sleep(stage.cpus[1]!);
    stage.makeReady(reader);
    return [discard(reader)];
  },
};

export const discardAgainstUnlazy: Scenario = {
  name: "discard-against-unlazy",
  summary:
    "a page is discarded while a CPU that is lazy on its mm returns to user mode, and reads it",
  cpus: 2,
  prepare(stage) {
    const reader = twoThreads(stage);
    stage.makeReady(reader);
    return [discard(reader)];
  },
};
