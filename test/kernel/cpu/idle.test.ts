// Idle CPUs: what wakes them, and what they did not forget meanwhile.

import { describe, expect, test } from "vitest";
import { NEED_RESCHED, POLLING, type Task } from "../../../src/kernel/state/task.ts";
import { waitForChildren } from "../../../src/kernel/process/exit.ts";
import { type KernelCode, locked, work } from "../../../src/kernel/operation/operation.ts";
import { Pipe, readPipe, writePipe } from "../../../src/kernel/process/pipe.ts";
import { cloneThread } from "../../../src/kernel/process/fork.ts";
import { callMany, waitForCalls } from "../../../src/kernel/cpu/smp.ts";
import {
  CALL_FUNCTION_SINGLE_VECTOR,
  RESCHEDULE_VECTOR,
} from "../../../src/kernel/operation/vectors.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import { play as playScripts, type Script } from "../lab.ts";
import { eventsOf, type Outcome, play, type SceneOptions } from "../scene.ts";

/** Longer than it takes to leave any idle state. */
const LONG = 400_000;

/** A thread on CPU 1 sleeps in read until the first thread writes; `rounds` times. */
function wakeSleeper(idle: NonNullable<SceneOptions["idle"]>, rounds = 3): Outcome {
  return play({ idle }, (kernel) => {
    const pipe = new Pipe(kernel, "pipe", 0);
    const reader = function* (task: Task): KernelCode {
      for (let round = 0; round < rounds; round++) yield* syscall(task, readPipe(task, pipe));
    };
    return function* (task) {
      const thread = cloneThread(task, { name: "reader", program: reader, cpu: kernel.cpus[1]! });
      yield* syscall(task, thread);
      for (let round = 0; round < rounds; round++) {
        yield* work({ name: "long enough for the reader to sleep", cycles: LONG });
        yield* syscall(task, writePipe(task, pipe));
      }
      yield* syscall(task, waitForChildren(task));
    };
  });
}

const reschedulesOf = (outcome: Outcome, target: number): number =>
  eventsOf(outcome, "ipiSent").filter(
    (sent) => sent.target === target && sent.vector === RESCHEDULE_VECTOR,
  ).length;

describe("waking a task on an idle CPU", () => {
  test.each(["poll", "mwait"] as const)("that waits by %s takes no interrupt", (idle) => {
    const outcome = wakeSleeper(idle);
    expect(outcome.ended).toBe("stopped");
    expect(reschedulesOf(outcome, 1)).toBe(0);
  });

  test("that is halted takes one interrupt each time", () => {
    const outcome = wakeSleeper("halt", 3);
    expect(outcome.ended).toBe("stopped");
    expect(reschedulesOf(outcome, 1)).toBe(1 + 3); // its first run, and three reads
  });

  test("takes the exit from the idle state longer than from a loop", () => {
    const ranAt = (idle: "poll" | "mwait") => {
      let cycle = 0;
      const caller: Script = function* (cpu) {
        yield* work({ name: "until the other idles", cycles: 50_000 });
        const called = yield* callMany(cpu, [1], function* (target) {
          cycle = target.kernel.machine.now(1);
        });
        yield* waitForCalls(called);
      };
      const { kernel } = playScripts({ idle }, caller);
      return { cycle, exit: kernel.machine.description.instruction.idleExit };
    };
    const [mwait, poll] = [ranAt("mwait"), ranAt("poll")];
    expect(mwait.exit).toBeGreaterThan(poll.exit);
    expect(mwait.cycle - poll.cycle).toBe(mwait.exit - poll.exit);
  });

  test("sets the flag that it polls, and only while it is idle", () => {
    const outcome = wakeSleeper("mwait");
    const { idle, current } = outcome.kernel.cpus[1]!;
    expect(current).toBe(idle);
    expect(idle.flags.value & POLLING).toBe(POLLING);
    expect(outcome.kernel.cpus[0]!.idle.flags.value & (POLLING | NEED_RESCHED)).toBe(0);
  });

  test("never polls when it halts", () => {
    expect(wakeSleeper("halt").kernel.cpus[1]!.idle.flags.value & POLLING).toBe(0);
  });
});

test("a flag set without an interrupt wakes a CPU in MWAIT, and not one in HLT", () => {
  const left = (["mwait", "halt"] as const).map((idle) => {
    const setter: Script = function* (cpu) {
      yield* work({ name: "until the other idles", cycles: 50_000 });
      yield* locked(cpu.kernel.cpus[1]!.idle.flags, (flags) => flags | NEED_RESCHED);
      yield* work({ name: "until it would have rescheduled", cycles: 50_000 });
    };
    return playScripts({ idle }, setter).kernel.cpus[1]!.idle.flags.value & NEED_RESCHED;
  });
  expect(left).toEqual([0, NEED_RESCHED]);
});

test("an idle CPU keeps the CR3 of what ran before it", () => {
  const outcome = wakeSleeper("mwait");
  const leftForIdle = eventsOf(outcome, "switched").filter(
    ({ from, to, at }) => at.cpu === 1 && from.name === "reader" && to.name === "swapper/1",
  );
  const cr3Writes = eventsOf(outcome, "cr3Written").filter(({ at }) => at.cpu === 1);
  expect(leftForIdle.length).toBeGreaterThanOrEqual(3);
  // To the process, and away from it when its last task's exit freed the tables.
  expect(cr3Writes).toHaveLength(2);
  expect(cr3Writes[1]!.root).toBe(outcome.kernel.initMm.root);
});

test("functions called on a polling idle CPU run before it goes on as another task", () => {
  const outcome = wakeSleeper("poll");
  const singles = eventsOf(outcome, "ipiSent").filter(
    ({ vector, target }) => vector === CALL_FUNCTION_SINGLE_VECTOR && target === 1,
  );
  const flushedThere = eventsOf(outcome, "flushed").filter(({ at }) => at.cpu === 1);
  expect(flushedThere.length).toBeGreaterThan(0);
  expect(singles).toEqual([]);
});

describe("a CPU in C6", () => {
  test("is woken by a store to the flags that it watches, like one in C1, and later", () => {
    const [c1, c6] = (["mwait", "c6"] as const).map((idle) => wakeSleeper(idle));
    expect(c6!.ended).toBe("stopped");
    expect(reschedulesOf(c6!, 1)).toBe(0);
    const ranAt = (outcome: Outcome): number =>
      eventsOf(outcome, "switched").find(({ to, at }) => at.cpu === 1 && to.name === "reader")!.at
        .cycle;
    const exit = ({ kernel }: Outcome): number => kernel.machine.description.instruction.idleExit;
    expect(ranAt(c6!) - ranAt(c1!)).toBeGreaterThan(0.9 * (exit(c6!) - exit(c1!)));
  });

  test("has left the address space of what ran before it", () => {
    const cr3Of = (idle: "mwait" | "c6") => {
      const outcome = wakeSleeper(idle);
      const { initMm } = outcome.kernel;
      const onInit = eventsOf(outcome, "cr3Written").filter(
        ({ at, root }) => at.cpu === 1 && root === initMm.root,
      );
      return onInit.length;
    };
    expect([cr3Of("mwait"), cr3Of("c6")]).toEqual([1, 4]); // when it exits; each time it sleeps
  });

  test("keeps the slot and its generation: what it reads again comes with no flush", () => {
    const outcome = wakeSleeper("c6");
    const back = eventsOf(outcome, "cr3Written").filter(
      ({ at, root }) => at.cpu === 1 && root !== outcome.kernel.initMm.root,
    );
    expect(back.map(({ keep }) => keep)).toEqual([false, true, true, true]);
  });
});
