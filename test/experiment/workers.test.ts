import { describe, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Run } from "../../src/experiment/configuration.ts";
import { measureAll, type Measured } from "../../src/experiment/workers.ts";
import { fakeMeasure } from "./samples.ts";

const workerUrl = new URL("./fake-worker.js", import.meta.url);

const runsWith = (seeds: readonly number[]): readonly Run[] =>
  seeds.map((seed) => ({ configuration: completeConfiguration({}), workload: "munmap", seed }));

const inPool = (seeds: readonly number[], workers: number): Promise<Measured> =>
  measureAll(runsWith(seeds), { workers, workerUrl, onDone: () => {} });

/** The seeds that were measured, in the order of the runs. */
const measuredOf = ({ measurements }: Measured): (number | undefined)[] =>
  measurements.map((one) => one?.refcountOps);

describe("the pool", () => {
  test("places each result by its run, whichever worker is first", async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7];
    expect(measuredOf(await inPool(seeds, 2))).toEqual(seeds);
    expect(measuredOf(await inPool(seeds, 5))).toEqual(seeds);
  });

  test("tells how many runs are done", async () => {
    const told: number[] = [];
    await measureAll(runsWith([1, 2, 3]), {
      workers: 2,
      workerUrl,
      onDone: (done) => told.push(done),
    });
    expect(told).toEqual([1, 2, 3]);
  });

  test("a worker that throws becomes a failure with its run, seed and command", async () => {
    const { failures } = await inPool([1, 666], 2);
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^munmap, refcounted, 2 cores, seed 666: .*a broken invariant.* run munmap .*--seed 666$/,
      ),
    ]);
  });

  test("a worker that ends becomes a failure, and another takes its place", async () => {
    const measured = await inPool([667, 1, 667, 2], 2);
    expect(measuredOf(measured)).toEqual([undefined, 1, undefined, 2]);
    expect(measured.failures).toHaveLength(2);
    expect(measured.failures[0]!.message).toContain("the worker ended with code 3");
  });

  test("a run that breaks down does not keep others from being measured", async () => {
    expect(measuredOf(await inPool([1, 666, 2, 3], 2))).toEqual([1, undefined, 2, 3]);
  });

  test("bad input in a worker stays bad input, and ends them all", async () => {
    const { measurements, failures } = await inPool([668, 669, 669, 669], 2);
    expect(failures).toEqual([new BadInput("trace.txt:3", "x", "a number")]);
    expect(measurements).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("a signal ends the runs under way, and keeps what was measured", async () => {
    const interrupt = new AbortController();
    const measured = await measureAll(runsWith([1, 669]), {
      workers: 2,
      workerUrl,
      onDone: () => interrupt.abort(),
      signal: interrupt.signal,
    });
    expect([measuredOf(measured), measured.failures]).toEqual([[1, undefined], []]);
  });

  test("no runs are done at once", async () => {
    expect(await inPool([], 2)).toEqual({ measurements: [], failures: [] });
  });
});

test("in this thread, a run that breaks down is named with its command", async () => {
  const measured = await measureAll(runsWith([5, 6]), {
    workers: 1,
    onDone: () => {},
    measure(run) {
      if (run.seed === 5) throw new Error("a sentence of what must hold");
      return fakeMeasure(run);
    },
  });
  expect(measured.failures.map(({ message }) => message)).toEqual([
    expect.stringMatching(/seed 5: a sentence of what must hold; to repeat it: /),
  ]);
  expect(measured.measurements).toEqual([undefined, expect.objectContaining({ operations: 20 })]);
});

test("a signal that is raised before the first run leaves them all", async () => {
  for (const workers of [1, 2]) {
    const measured = await measureAll(runsWith([1]), {
      workers,
      workerUrl,
      onDone: () => {},
      signal: AbortSignal.abort(),
    });
    expect(measured).toEqual({ measurements: [undefined], failures: [] });
  }
});
