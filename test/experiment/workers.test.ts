import { describe, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Run } from "../../src/experiment/configuration.ts";
import { measureAll } from "../../src/experiment/workers.ts";
import { fakeMeasure } from "./samples.ts";

const workerUrl = new URL("./fake-worker.js", import.meta.url);

const runsWith = (seeds: readonly number[]): readonly Run[] =>
  seeds.map((seed) => ({ configuration: completeConfiguration({}), workload: "munmap", seed }));

const pooled = (seeds: readonly number[], workers: number): Promise<readonly number[]> =>
  measureAll(runsWith(seeds), { workers, workerUrl, onDone: () => {} }).then((results) =>
    results.map((one) => one.refcountOps),
  );

describe("the pool", () => {
  test("places each result by its run, whichever worker is first", async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7];
    expect(await pooled(seeds, 2)).toEqual(seeds);
    expect(await pooled(seeds, 5)).toEqual(seeds);
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

  test("a worker that throws becomes an error with the run, its seed and its command", async () => {
    await expect(pooled([1, 666], 2)).rejects.toThrow(
      /^munmap, refcounted, 2 cores, seed 666: .*a broken invariant.* run munmap .*--seed 666$/,
    );
  });

  test("a worker that ends becomes an error too", async () => {
    await expect(pooled([667], 2)).rejects.toThrow("the worker ended with code 3");
  });

  test("bad input in a worker stays bad input", async () => {
    await expect(pooled([668], 2)).rejects.toThrow(new BadInput("trace.txt:3", "x", "a number"));
    await expect(pooled([668], 2)).rejects.toBeInstanceOf(BadInput);
  });

  test("no runs are done at once", async () => {
    expect(await pooled([], 2)).toEqual([]);
  });
});

test("in this thread, a run that breaks down is named with its command", async () => {
  const broken = measureAll(runsWith([5]), {
    workers: 1,
    onDone: () => {},
    measure(run) {
      if (run.seed === 5) throw new Error("a sentence of what must hold");
      return fakeMeasure(run);
    },
  });
  await expect(broken).rejects.toThrow(/seed 5: a sentence of what must hold; to repeat it: /);
});
