// reclaim: what the kernel thread takes, and what it costs those it takes it from.

import { expect, test } from "vitest";
import { eventsOf } from "../kernel/scene.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import { measure, measuredPart, playWorkload } from "./runs.ts";

test("takes k pages of each process in each round, in batches of at most 32", () => {
  const outcome = playWorkload("reclaim", { cores: 3, rounds: 4, pages: 20 });
  const kinds = measuredPart(outcome).map(({ kind }) => kind);
  const freed = kinds.filter((kind) => kind === "pagesFreed").length;
  expect(freed).toBeGreaterThan(2 * 4 * 20); // victims may not yet have touched all again
  expect(freed).toBeLessThanOrEqual(3 * 4 * 20);
  // A cluster that holds only pages of CPU 0's own process is flushed page by page.
  const batches = kinds.filter((kind) => kind === "batchFlushReturn").length;
  expect(batches).toBe(4 * 2);
});

test("sends far fewer interrupts with batches than page by page", () => {
  const { batchedUnmap: _none, ...pageByPage } = linux513;
  const ipis = (protocol: typeof linux513 | typeof pageByPage): number =>
    measuredPart(playWorkload("reclaim", { cores: 4, pages: 8, protocol })).filter(
      ({ kind }) => kind === "ipiSent",
    ).length;
  expect(ipis(pageByPage)).toBeGreaterThan(3 * ipis(linux513));
});

test("counts batched flushes as shootdowns", async () => {
  const { initiatorCycles } = await measure("reclaim", { cores: 2, rounds: 5, pages: 4 });
  expect(initiatorCycles).toHaveLength(5);
});

test("what was taken comes back: the processes fault again after each pass", () => {
  const outcome = playWorkload("reclaim", { cores: 2, rounds: 4, pages: 4 });
  const taken = eventsOf(outcome, "pagesFreed").filter(({ mm }) => mm.name === "victim1");
  const timesOfOnePage = taken.filter(({ range }) => range.start === taken[0]!.range.start);
  expect(timesOfOnePage.length).toBeGreaterThan(3);
});
