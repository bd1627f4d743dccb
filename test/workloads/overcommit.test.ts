// overcommit: what a flush costs when the host has taken a target away.

import { expect, test } from "vitest";
import { kvmPv } from "../../src/kernel/shootdown/kvm-pv.ts";
import { eventsOf } from "../kernel/scene.ts";
import { meanOf, measure, playWorkload } from "./runs.ts";

test("one vCPU is preempted in every second round, and comes back", () => {
  const outcome = playWorkload("overcommit", { cores: 4, rounds: 6 });
  const preempted = eventsOf(outcome, "vcpuPreempted").length;
  expect(preempted).toBe((6 + 2) / 2); // two rounds to warm up
  expect(eventsOf(outcome, "vcpuEntered")).toHaveLength(preempted);
});

test("linux-5.13 waits for it, kvm-pv does not", async () => {
  const mean = async (protocol: "linux-5.13" | "kvm-pv"): Promise<number> =>
    meanOf((await measure("overcommit", { protocol, cores: 4, rounds: 8 })).initiatorCycles);
  expect(await mean("linux-5.13")).toBeGreaterThan(40_000);
  expect(await mean("kvm-pv")).toBeLessThan(10_000);
});

test("under kvm-pv the host flushes each one that was away during the flush", () => {
  const outcome = playWorkload("overcommit", { cores: 4, rounds: 6, protocol: kvmPv });
  const flushed = eventsOf(outcome, "vcpuEntered").map((event) => event.flushed);
  expect(flushed.length).toBeGreaterThan(2); // one that is still away is not taken again
  expect(flushed.every(Boolean)).toBe(true);
});
