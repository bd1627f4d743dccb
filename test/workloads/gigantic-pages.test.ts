// Workloads on memory of 1 GiB pages: no protocol is wrong about them, and what is more than the
// machine's addresses have room for is refused.

import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { conflictIn } from "../../src/experiment/constraints.ts";
import { linux618 } from "../../src/kernel/shootdown/linux-6.18.ts";
import { PROTOCOL_NAMES, protocols } from "../../src/kernel/shootdown/protocols.ts";
import { shootdown } from "../cli/command.ts";
import { eventsOf } from "../kernel/scene.ts";
import { meanOf, measure, playWorkload } from "./runs.ts";

const SMALL = { cores: 2, pages: 1, rounds: 1, pageSize: "1G" } as const;

/** What flushes others' pages, and touches the fewest of the 262 144 pages of 4 KiB in each. */
describe.each(["tlb-flush2", "reclaim"] as const)("%s", (name) => {
  test.each(PROTOCOL_NAMES)("under %s", (protocol) => {
    const pcid = conflictIn(completeConfiguration({ protocol, pcid: true })) === undefined;
    const outcome = playWorkload(name, { ...SMALL, protocol: protocols[protocol], pcid });
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
    expect(eventsOf(outcome, "flushReturn").length).toBeGreaterThan(0);
  });
});

test.each(["munmap", "madvise", "mprotect", "fork-exit", "server", "exit"] as const)(
  "%s, with page-table isolation",
  (name) => {
    const kernel = { pti: true, invpcid: true };
    const { ended, violations } = playWorkload(name, { ...SMALL, kernel });
    expect([ended, violations]).toEqual(["stopped", []]);
  },
);

test("a flush of a page of 1 GiB costs each CPU as much as one of 2 MiB", async () => {
  const [large, huge] = await Promise.all(
    (["1G", "2M"] as const).map((pageSize) => measure("madvise", { ...SMALL, pageSize })),
  );
  expect(large!.flushes).toEqual(huge!.flushes);
  expect(large!.ipis).toBe(huge!.ipis);
  expect(meanOf(large!.responderCycles)).toBeCloseTo(meanOf(huge!.responderCycles), -2);
  expect(large!.elapsedSeconds).toBeGreaterThan(400 * huge!.elapsedSeconds);
});

test("there is no INVLPGB of 1 GiB steps: each page takes one", () => {
  const kernel = { invlpgb: true, globalAsidCpus: 0 };
  const options = { cores: 3, pages: 2, rounds: 1, protocol: linux618, cpu: "milan" } as const;
  const outcome = playWorkload("munmap", { ...options, kernel, pageSize: "1G" });
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  const ofPages = eventsOf(outcome, "broadcastBegun").filter(({ what }) => what.extent === "pages");
  expect(ofPages.length).toBeGreaterThan(0);
  expect(ofPages.length % 2).toBe(0);
});

test("more than addresses have room for is refused", async () => {
  const run = await shootdown("run", "munmap", "--set", "pageSize=1G", "--set", "pages=65536");
  expect([run.code, run.stdout]).toEqual([2, ""]);
  expect(run.stderr).toMatch(/65536 pages of 1G on 28 cores are more than skylake-sp has/);
  const fits = completeConfiguration({ pageSize: "1G", pages: 1000, cores: 28 });
  expect(conflictIn(fits)).toBeUndefined();
});
