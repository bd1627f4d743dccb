// The benchmark of the argument: every switch goes through idle, and what that costs by policy.

import { expect, test } from "vitest";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { measure, measuredPart, playWorkload, switchesPerSecond } from "./runs.ts";

test("every switch is from a thread to idle or from idle to a thread", () => {
  const switches = measuredPart(playWorkload("pingpong", { cores: 4 })).flatMap((event) =>
    event.kind === "switched" ? [event] : [],
  );
  expect(switches.length).toBeGreaterThan(16);
  for (const { from, to, at } of switches) {
    const names = [from.name, to.name].sort();
    expect(names).toEqual([`player${at.cpu}`, `swapper/${at.cpu}`]);
  }
});

test.each(LAZY_POLICY_NAMES)("%s counts references per switch as it should", async (lazyTlb) => {
  const protocol = lazyTlb === "pre-4.15" ? "linux-4.8" : "linux-5.13";
  const kernel = { lazyTlb, protocol, pcid: false } as const;
  const { refcountOps, contextSwitches } = await measure("pingpong", { ...kernel, rounds: 20 });
  // One grab on the way into idle, one drop on the way out: one operation per switch.
  const perSwitch = refcountOps / contextSwitches;
  if (lazyPolicies[lazyTlb].lifetime === "counted") expect(perSwitch).toBeCloseTo(1, 1);
  else expect(refcountOps).toBe(0);
});

test("from 28 to 192 cores refcounted gets slower and exit-unlazy faster", async () => {
  const at = async (lazyTlb: "refcounted" | "exit-unlazy", cores: number) =>
    switchesPerSecond(await measure("pingpong", { lazyTlb, cores, rounds: 4 }));
  const [refcounted, unlazy] = [await at("refcounted", 192), await at("exit-unlazy", 192)];
  expect(refcounted).toBeLessThan(await at("refcounted", 28));
  expect(unlazy).toBeGreaterThan(4 * (await at("exit-unlazy", 28)));
  expect(unlazy).toBeGreaterThan(10 * refcounted);
});

test("eager is no way out: on many cores every switch contends for mm_cpumask", async () => {
  const at = async (lazyTlb: "eager" | "hazard-pointer") =>
    switchesPerSecond(await measure("pingpong", { lazyTlb, cores: 64, rounds: 4 }));
  expect(await at("eager")).toBeLessThan((await at("hazard-pointer")) / 2);
});

test("eager writes CR3 at every switch, refcounted at none", () => {
  for (const pcid of [true, false]) {
    const writes = (policy: "eager" | "refcounted"): number =>
      measuredPart(
        playWorkload("pingpong", { cores: 4, pcid, policy: lazyPolicies[policy] }),
      ).filter(({ kind }) => kind === "cr3Written").length;
    expect(writes("refcounted")).toBe(0);
    expect(writes("eager")).toBeGreaterThan(16);
  }
});

test("eager pays refills without PCID, and none with it", async () => {
  const walks = async (pcid: boolean) =>
    (await measure("pingpong", { lazyTlb: "eager", pcid, rounds: 20 })).refillWalks;
  expect(await walks(true)).toBe(0);
  expect(await walks(false)).toBeGreaterThan(100);
});
