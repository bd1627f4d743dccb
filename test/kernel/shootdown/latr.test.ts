// LATR: who is interrupted and who is not, when stale entries go and when pages do, and what its
// contract is worth against that of munmap.

import { describe, expect, test } from "vitest";
import type { PageRange } from "../../../src/base/address.ts";
import { Watch } from "../../../src/check/checker.ts";
import { LeftOver } from "../../../src/check/left-over.ts";
import { Roots } from "../../../src/check/roots.ts";
import { StaleTranslationChecker } from "../../../src/check/stale-translation.ts";
import { ViolationLog } from "../../../src/check/violation.ts";
import { Clock } from "../../../src/clock/clock.ts";
import type { Kernel } from "../../../src/kernel/state/kernel.ts";
import type { Observer } from "../../../src/kernel/operation/event.ts";
import { HZ, type KernelCode, workUntil } from "../../../src/kernel/operation/operation.ts";
import { latr } from "../../../src/kernel/shootdown/latr.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import {
  CALL_FUNCTION_SINGLE_VECTOR,
  CALL_FUNCTION_VECTOR,
  TIMER_VECTOR,
} from "../../../src/kernel/operation/vectors.ts";
import type { Task } from "../../../src/kernel/state/task.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import { cloneThread } from "../../../src/kernel/process/fork.ts";
import { waitForChildren } from "../../../src/kernel/process/exit.ts";
import { startInit } from "../../../src/workloads/init.ts";
import { Barrier } from "../../../src/workloads/barrier.ts";
import {
  mapPages,
  protectPages,
  touchPages,
  unmapPages,
  usePages,
} from "../../../src/workloads/memory.ts";
import { discardUnderReader } from "../../check/scenes.ts";
import { bootScene, eventsOf, type Outcome, play, type SceneOptions } from "../scene.ts";

type Act = (main: Task, kept: PageRange, kernel: Kernel) => KernelCode;

/** CPU 0 acts while threads of its mm compute on memory of their own on the other CPUs. */
function act(body: Act, options: SceneOptions = {}): Outcome {
  const outcome = play({ protocol: latr, ...options }, (kernel) => threadsAround(kernel, body));
  expect(outcome.ended).toBe("stopped");
  return outcome;
}

function threadsAround(kernel: Kernel, body: Act) {
  return function* (main: Task): KernelCode {
    const kept = yield* mapPages(main, { pageCount: 8 });
    yield* touchPages(kept, "write");
    const others = kernel.cpus.slice(1);
    const started = new Barrier(kernel, others.length);
    let isOver = false;
    for (const cpu of others) {
      const program = function* (task: Task): KernelCode {
        yield* touchPages(kept, "read");
        yield* started.arrive(task);
        while (!isOver) yield* usePages(kept, { accesses: 64, thinkCycles: 200, seed: 1 });
      };
      yield* syscall(main, cloneThread(main, { name: `thread${cpu.id}`, program, cpu }));
    }
    yield* started.wait(main);
    yield* body(main, kept, kernel);
    isOver = true;
    yield* syscall(main, waitForChildren(main));
  };
}

/** Maps, touches and unmaps a page. */
function* unmapOne(main: Task): KernelCode<PageRange> {
  const range = yield* mapPages(main, { pageCount: 1 });
  yield* touchPages(range, "write");
  yield* unmapPages(main, range);
  return range;
}

const calls = (outcome: Outcome): number =>
  eventsOf(outcome, "ipiSent").filter(({ vector }) =>
    [CALL_FUNCTION_VECTOR, CALL_FUNCTION_SINGLE_VECTOR].includes(vector),
  ).length;

/** Computes until `ticks` more ticks have passed. */
function* passTicks(main: Task, ticks: number): KernelCode {
  const { machine } = main.cpu.kernel;
  const cycles = (machine.description.frequencyGhz * 1e9) / HZ;
  const next = (Math.floor(machine.now(main.cpu.id) / cycles) + ticks) * cycles;
  yield* workUntil(next + 20_000);
}

/** Interrupts that `body` sends, those of the scene around it left out. */
function callsOf(body: Act, protocol: ShootdownProtocol = latr): number {
  return calls(act(body, { protocol })) - calls(act(function* () {}, { protocol }));
}

describe("an unmapping under LATR", () => {
  test("interrupts nobody", () => {
    const once: Act = function* (main) {
      yield* unmapOne(main);
    };
    expect([callsOf(once, linux513), callsOf(once)]).toEqual([1, 0]);
  });

  test("is swept at the next tick, and its page given back two ticks later, not before", () => {
    const seen: number[] = [];
    const outcome = act(function* (main, _kept, kernel) {
      yield* unmapOne(main);
      const { inUse } = kernel.frames;
      for (const ticks of [0, 1, 1, 1]) {
        if (ticks > 0) yield* passTicks(main, ticks);
        seen.push(kernel.frames.inUse - inUse);
      }
    });
    expect(seen).toEqual([0, 0, -1, -1]);
    const swept = eventsOf(outcome, "flushed").filter((event) => event.how === "ranged");
    expect(swept.filter(({ at }) => at.cpu === 1)).toHaveLength(1);
    expect(outcome.violations).toEqual([]);
  });

  test("keeps its addresses until then", () => {
    const places: number[] = [];
    act(function* (main) {
      for (const ticks of [0, 0, 3]) {
        if (ticks > 0) yield* passTicks(main, ticks);
        places.push((yield* unmapOne(main)).start);
      }
    });
    expect(places[1]).toBeGreaterThan(places[0]!);
    expect(places[2]).toBe(places[0]);
  });

  test("at addresses that are mapped again by force flushes the others first", () => {
    const again: Act = function* (main) {
      const { start } = yield* unmapOne(main);
      yield* mapPages(main, { pageCount: 1, at: start });
    };
    expect(callsOf(again)).toBe(1);
  });

  test("flushes as ever when 64 are under way", () => {
    const often = (count: number): Act =>
      function* (main) {
        yield* passTicks(main, 1);
        for (let round = 0; round < count; round++) yield* unmapOne(main);
      };
    expect([callsOf(often(64)), callsOf(often(70))]).toEqual([0, 6]);
  });
});

test("rights are withdrawn by interrupts, LATR or not", () => {
  const withdraw: Act = (main, kept) => protectPages(main, kept, false);
  expect([callsOf(withdraw, linux513), callsOf(withdraw)]).toEqual([1, 1]);
});

test("a tick comes to CPUs that have something to run, and to no idle one", () => {
  const outcome = play({ protocol: latr, cores: 2 }, () => (main) => passTicks(main, 3));
  const ticks = eventsOf(outcome, "interruptTaken").filter(({ vector }) => vector === TIMER_VECTOR);
  expect(ticks.map(({ at }) => at.cpu)).toEqual([0, 0, 0]);
});

test("munmap takes a third of the time among 16 CPUs, and less among more", () => {
  const munmapCycles = (protocol: ShootdownProtocol, cores: number): number => {
    let cycles = 0;
    const outcome = act(
      function* (main, _kept, { machine }) {
        for (let round = 0; round < 4; round++) {
          const range = yield* mapPages(main, { pageCount: 1 });
          yield* touchPages(range, "write");
          const begin = machine.now(0);
          yield* unmapPages(main, range);
          cycles = machine.now(0) - begin;
        }
      },
      { protocol, cores, cpu: "haswell-ep" },
    );
    expect(outcome.violations).toEqual([]);
    return cycles;
  };
  const shares = [2, 16, 48].map(
    (cores) => munmapCycles(latr, cores) / munmapCycles(linux513, cores),
  );
  expect(shares[1]).toBeLessThan(0.45);
});

describe("the contract", () => {
  const discard = (judge: "latr's" | "munmap's"): number => {
    const kernel = bootScene({ protocol: latr });
    const log = new ViolationLog({ of: () => [] });
    const roots = new Roots(kernel);
    const checker = new StaleTranslationChecker(kernel, log, roots, new LeftOver());
    const watch = new Watch([checker]);
    const observer: Observer = {
      observe(event, moment) {
        if (judge === "latr's" || event.kind !== "unmapPostponed") watch.observe(event, moment);
      },
    };
    startInit(kernel, "test", discardUnderReader(kernel));
    expect(new Clock(kernel, [observer]).run()).toBe("stopped");
    return log.count;
  };

  test("of LATR lets others use what was unmapped for a while; that of munmap does not", () => {
    expect(discard("latr's")).toBe(0);
    expect(discard("munmap's")).toBeGreaterThan(0);
  });
});
