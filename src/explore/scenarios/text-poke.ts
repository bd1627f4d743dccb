// A lazy CPU writes kernel text through a temporary address space while the one that it borrows
// goes away.

import { exitMm } from "../../kernel/process/exit.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
} from "../../kernel/operation/operation.ts";
import { unuseTemporaryMm, useTemporaryMm } from "../../kernel/memory/temporary-mm.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import {
  ACKNOWLEDGED_BEFORE_FLUSH,
  FLUSH_MOVES_NOBODY,
  MASK_LEFT_WHEN_FLUSHED,
  MASK_LEFT_WHEN_LAZY,
  TABLES_FREED_IN_SWITCH,
  TOLD_NO_PREV,
  UNCOUNTED,
  UNCOUNTED_BEFORE_LOADED_MM,
} from "./breaks.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** The last user of an mm on CPU 0, and on CPU 1 a kernel thread that has borrowed it. */
function lazyBesideDying(stage: Stage) {
  const [cpu0, cpu1] = stage.cpus;
  const a = stage.mm("a");
  const poking = stage.mm("poking_mm", 0);
  const dying = stage.task(cpu0, "dying", a);
  stage.switchTo(dying);
  stage.leaveLazy(cpu1, a);
  const kworker = stage.task(cpu1, "kworker", null);
  stage.switchTo(kworker);
  return { dying, kworker, poking };
}

/** Goes to the temporary mm, and back. */
function* poke(cpu: Cpu, poking: Mm): KernelCode {
  yield* disableInterrupts();
  const prev = yield* useTemporaryMm(cpu, poking);
  yield* unuseTemporaryMm(cpu, prev);
  yield* enableInterrupts();
}

export const textPokeWhileLazy: Scenario = {
  name: "text-poke-while-lazy",
  summary: "a CPU that is lazy on an mm goes to a temporary one and back while the mm's user exits",
  cpus: 2,
  breaks: [
    TABLES_FREED_IN_SWITCH,
    FLUSH_MOVES_NOBODY,
    TOLD_NO_PREV,
    UNCOUNTED_BEFORE_LOADED_MM,
    MASK_LEFT_WHEN_FLUSHED,
    ACKNOWLEDGED_BEFORE_FLUSH,
  ],
  prepare(stage) {
    const { dying, poking } = lazyBesideDying(stage);
    return [() => exitMm(dying), (cpu) => poke(cpu, poking)];
  },
};

export const exitAfterTextPoke: Scenario = {
  name: "exit-after-text-poke",
  summary:
    "a lazy CPU has been in a temporary mm; its mm's user exits while its thread goes to sleep",
  cpus: 2,
  breaks: [UNCOUNTED, FLUSH_MOVES_NOBODY, MASK_LEFT_WHEN_LAZY],
  prepare(stage) {
    const { dying, kworker, poking } = lazyBesideDying(stage);
    stage.run(kworker.cpu, poke(kworker.cpu, poking));
    return [() => exitMm(dying), () => stage.goToSleep(kworker)];
  },
};
