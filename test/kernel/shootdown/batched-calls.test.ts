// Userspace-safe batching: threads that change their address space at the same time interrupt each
// other less, since those in a call are passed over.

import { expect, test } from "vitest";
import { waitForChildren } from "../../../src/kernel/process/exit.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { cloneThread } from "../../../src/kernel/process/fork.ts";
import { type ProtocolName, protocols } from "../../../src/kernel/shootdown/protocols.ts";
import {
  CALL_FUNCTION_VECTOR,
  CALL_FUNCTION_SINGLE_VECTOR,
} from "../../../src/kernel/operation/vectors.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Task } from "../../../src/kernel/state/task.ts";
import { Barrier } from "../../../src/workloads/barrier.ts";
import { mapPages, protectPages, touchPages } from "../../../src/workloads/memory.ts";
import { eventsOf, play } from "../scene.ts";

/** Every thread protects pages of its own, round after round, and reads everybody's at the end. */
function protectEverywhere(protocol: ProtocolName, pti = false) {
  const outcome = play(
    { cores: 4, protocol: protocols[protocol], kernel: { pti, invpcid: true } },
    (kernel) =>
      function* (main) {
        const all = yield* mapPages(main, { pageCount: 16 });
        const ready = new Barrier(kernel, 4);
        const work = function* (task: Task): KernelCode {
          const start = (all.start + 4 * task.cpu.id) as typeof all.start;
          const own = { start, end: (start + 4) as typeof all.end };
          yield* ready.arriveAndWait(task);
          for (let round = 0; round < 10; round++) {
            yield* touchPages(own, round % 2 === 0 ? "write" : "read");
            yield* protectPages(task, own, round % 2 === 1);
          }
          yield* touchPages(all, "read");
        };
        for (const cpu of kernel.cpus.slice(1)) {
          const thread = { name: `thread${cpu.id}`, program: work, cpu };
          yield* syscall(main, cloneThread(main, thread));
        }
        yield* work(main);
        yield* syscall(main, waitForChildren(main));
      },
  );
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  const calls: readonly number[] = [CALL_FUNCTION_VECTOR, CALL_FUNCTION_SINGLE_VECTOR];
  return eventsOf(outcome, "ipiSent").filter(({ vector }) => calls.includes(vector)).length;
}

test("CPUs in a call that changes the address space are not interrupted, and are right", () => {
  const before = protectEverywhere("linux-5.13");
  const after = protectEverywhere("batched-syscalls");
  expect(after).toBeLessThan(before * 0.9);
});

test("with page-table isolation the user PCID catches up as well", () => {
  expect(protectEverywhere("batched-syscalls", true)).toBeGreaterThan(0);
});
