// I10 while other CPUs are busy: a CPU that waits for what never comes, next to one that never
// waits.

import { expect, test } from "vitest";
import { Cell } from "../../src/kernel/operation/cell.ts";
import { type KernelCode, note, waitUntil } from "../../src/kernel/operation/operation.ts";
import { cloneThread } from "../../src/kernel/process/fork.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import { callMany, waitForCalls } from "../../src/kernel/cpu/smp.ts";
import { syscall } from "../../src/kernel/cpu/syscall.ts";
import { Barrier } from "../../src/workloads/barrier.ts";
import { mapPages, protectPages, touchPages, usePages } from "../../src/workloads/memory.ts";
import { play, type SceneOptions } from "../kernel/scene.ts";
import type { SceneProgram } from "./scenes.ts";

/** CPU 1 takes every call and never comes back from it. */
const stuck: SceneOptions["protocol"] = {
  ...linux513,
  *flushRange(cpu, request) {
    if (request.freedTables) return yield* linux513.flushRange(cpu, request);
    const never = new Cell("never", cpu.kernel.allocateLine(cpu.id), 0);
    const handler = function* (): KernelCode {
      yield* waitUntil(never, () => false);
    };
    yield* waitForCalls(yield* callMany(cpu, [1], handler));
    return true;
  },
};

const protectBesideSpinner: SceneProgram = (kernel) =>
  function* (main) {
    const range = yield* mapPages(main, { pageCount: 4 });
    yield* touchPages(range, "write");
    const ready = new Barrier(kernel, 2);
    for (const cpu of kernel.cpus.slice(1)) {
      const program = function* (task: typeof main): KernelCode {
        yield* ready.arrive(task);
        for (;;) yield* usePages(range, { accesses: 1000, thinkCycles: 50_000, seed: 1 });
      };
      yield* syscall(main, cloneThread(main, { name: `spinner${cpu.id}`, program, cpu }));
    }
    yield* ready.wait(main);
    yield* protectPages(main, range, false);
    yield* note({ kind: "measureEnd" });
  };

test("a wait that never ends is reported although another CPU goes on", () => {
  const outcome = play({ cores: 3, protocol: stuck }, protectBesideSpinner);
  expect(outcome.ended).toBe("deadlock");
  expect(outcome.violations).toHaveLength(1);
  expect(outcome.violations[0]).toMatchObject({ invariant: "I10", cpus: [0, 1] });
  expect(outcome.violations[0]!.message).toMatch(/CPU 0 .* on cpu0\.csd\[1\], CPU 1 .* on never/);
});
