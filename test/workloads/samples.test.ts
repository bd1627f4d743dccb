// Real recordings replayed: no violation under three configurations each, and as many flushes and
// CR3 writes as Linux logged, but for what a recording cannot show.

import { describe, expect, test } from "vitest";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { SAMPLE_TRACE_NAMES, SAMPLE_TRACES } from "../../src/trace/samples.ts";
import { recordedCounts, replayedCounts } from "./replayed.ts";

/** The execve at the start tears down an mm whose other CPUs were before the recording. */
const REMOTE_UNSEEN = 1;
/** By exec: the move of the new stack, and a copy inside the kernel, which logs no fault. */
const LOCAL_UNSEEN_PER_EXEC = 2;
/** The first switches of each CPU, which here start out on init_mm. */
const SWITCHES_ADDED = 5;

const KERNELS: readonly Partial<Configuration>[] = [
  { lazyTlb: "hazard-pointer", pcid: true, idle: "halt" },
  { lazyTlb: "exit-unlazy", pcid: false, cores: 4 },
  { lazyTlb: "shoot-lazies", pcid: true, idle: "poll" },
  { lazyTlb: "eager", pcid: true },
];

describe.each(SAMPLE_TRACE_NAMES.map((name, index) => [name, index] as const))("%s", (name, at) => {
  const path = SAMPLE_TRACES[name]!;
  const counting = recordedCounts(path);

  test.each([true, false])("with pcid %s flushes as often as Linux did", async (pcid) => {
    const recorded = await counting;
    const { counts, violations } = await replayedCounts(path, { pcid });
    expect(violations).toEqual([]);
    expect(recorded.remote - counts.remote).toBe(REMOTE_UNSEEN);
    const local = recorded.local - counts.local;
    expect(local).toBeGreaterThanOrEqual(0);
    expect(local).toBeLessThanOrEqual(LOCAL_UNSEEN_PER_EXEC * recorded.execs);
    expect(Math.abs(counts.switches - recorded.switches)).toBeLessThanOrEqual(SWITCHES_ADDED);
  });

  // They take turns.
  test.each([KERNELS[at % KERNELS.length]!])(
    "replays without a violation under %o",
    async (configuration) => {
      const { violations, lastKind } = await replayedCounts(path, configuration);
      expect(violations).toEqual([]);
      expect(lastKind).toBe("measureEnd");
    },
  );
});
