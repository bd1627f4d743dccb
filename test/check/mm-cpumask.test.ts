// I7 from both sides: CPUs that run on an mm without their bit in its mask, and the windows of each
// era in which that is legal.

import { expect, test } from "vitest";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { locked } from "../../src/kernel/operation/operation.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../src/kernel/state/shootdown-protocol.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { eventsOf, type Outcome, play } from "../kernel/scene.ts";
import { manyProcesses, protectUnderLazy, protectUnderReader } from "./scenes.ts";

const found = ({ violations }: Outcome, invariant = "I7") =>
  violations.filter((violation) => violation.invariant === invariant);

test("a CPU that writes CR3 before it sets its bit is reported at that write", () => {
  const protocol = protocols["linux-4.8"];
  const options = { protocol, pcid: false, mutation: "cpumask-after-cr3" } as const;
  const outcome = play(options, protectUnderReader);
  const [first] = outcome.violations;
  expect(first).toMatchObject({ invariant: "I7" });
  expect(first!.message).toMatch(/^CPU \d has written CR3: it runs on \w+ and is not in its mm_/);
  const writes = eventsOf(outcome, "cr3Written");
  expect(writes.some(({ at }) => at.cpu === first!.cpus[0] && at.cycle === first!.cycle)).toBe(
    true,
  );
});

test("a CPU that turns lazy and leaves the mask, not the mm, is reported before any flush", () => {
  const protocol = protocols["linux-4.15"];
  const outcome = play({ protocol, mutation: "lazy-leaves-cpumask" }, protectUnderLazy);
  const [first] = found(outcome);
  expect(first!.message).toMatch(/^CPU \d has changed what it has loaded: it runs on \w+ and is/);
  expect(outcome.violations[0]).toBe(first);
});

test("a CPU whose bit another one has cleared is reported by the next flush", () => {
  const clearing: ShootdownProtocol = {
    ...linux513,
    *flushRange(cpu, request) {
      const remote = yield* linux513.flushRange(cpu, request);
      yield* locked(request.mm.cpumask.words[0]!, (word) => word & (1 << cpu.id));
      return remote;
    },
  };
  const outcome = play({ protocol: clearing }, protectUnderReader);
  const messages = found(outcome).map(({ message }) => message);
  expect(messages).toContainEqual(
    expect.stringMatching(/^CPU 0 begins a flush of test, on which CPU 1 runs and is not in its/),
  );
});

test("the window between the old mask and CR3 is legal while switch_mm is in it", () => {
  for (const protocol of [linux513, protocols["linux-4.15"], protocols["linux-6.18"]]) {
    for (const policy of [lazyPolicies.refcounted, lazyPolicies.eager]) {
      expect(play({ protocol, policy }, manyProcesses).violations).toEqual([]);
    }
  }
});
