// A lazy CPU that idles by MONITOR is called without an interrupt, and leaves mm_cpumask some
// hundred cycles before CR3, as in an interrupt: a flush that began just then was reported as one
// that misses it.

import { expect, test } from "vitest";
import { measure } from "../workloads/runs.ts";

test("a lazy CPU that serves a call from idle may leave the mask before CR3", async () => {
  const chosen = { protocol: "linux-4.8", pcid: false, cores: 8, rounds: 10 } as const;
  const { violations } = await measure("writeback", chosen);
  expect(violations).toEqual([]);
});
