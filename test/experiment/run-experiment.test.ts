import { describe, expect, test } from "vitest";
import { commandFor } from "../../src/experiment/command.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { replay } from "../../src/experiment/replay-traces.ts";
import type { IncompleteExperiment } from "../../src/experiment/incomplete.ts";
import { runExperiment } from "../../src/experiment/run-experiment.ts";
import type { Run } from "../../src/experiment/configuration.ts";
import { askedSetting } from "../../src/experiment/settings.ts";
import { fakeMeasure } from "./samples.ts";

const definition = {
  name: "small",
  workloads: ["munmap"],
  axes: { cores: [2, 4], lazyTlb: ["refcounted", "unrefcounted"], rounds: 3 },
} as const;

describe("an experiment", () => {
  test("is measured once per configuration and seed, one row per configuration", async () => {
    const runs: Run[] = [];
    const measure = (run: Run) => (runs.push(run), fakeMeasure(run));
    const result = await runExperiment(definition, { seed: 5, seeds: 2, measure });
    expect(result).toMatchObject({ experiment: "small", seed: 5 });
    expect(result.rows.map(({ cores, verdict }) => [cores, verdict])).toEqual([
      [2, "ok"],
      [2, "violation"],
      [4, "ok"],
      [4, "violation"],
    ]);
    expect(runs.map(({ seed }) => seed)).toEqual([5, 6, 5, 6, 5, 6, 5, 6]);
    expect(result.rows[0]?.shootdowns).toBe(6);
  });

  test("gives the same bytes twice and survives JSON", async () => {
    const once = await runExperiment(definition, { seeds: 3, measure: fakeMeasure });
    const again = await runExperiment(definition, { seeds: 3, measure: fakeMeasure });
    expect(JSON.stringify(again)).toBe(JSON.stringify(once));
    expect(JSON.parse(JSON.stringify(once))).toEqual(once);
  });

  test("tells its progress and what it left out", async () => {
    const told: string[] = [];
    await runExperiment("munmap", {
      axes: { cpu: ["skylake-sp", "rome"], pcid: [true, false], cores: 2, lazyTlb: "eager" },
      measure: fakeMeasure,
      onProgress: ({ done, total }) => told.push(`${done}/${total}`),
      onNote: (note) => told.push(note),
    });
    expect(told).toEqual(
      ["left out cpu=rome pcid=true: rome has no PCID"].concat(["1/3", "2/3", "3/3"]),
    );
  });

  test("of which one run breaks down has the rows of the others", async () => {
    const measure = (run: Run) => {
      if (run.configuration.cores === 2 && run.seed === 2) throw new Error("broken");
      return fakeMeasure(run);
    };
    const running = runExperiment(definition, { seeds: 2, measure });
    await expect(running).rejects.toThrow(
      /^6 of 8 runs were made: 2 broke down, the first: munmap/,
    );
    const { result, made, asked } = (await running.catch(
      (e: unknown) => e,
    )) as IncompleteExperiment;
    expect(result.rows.map(({ cores, seeds }) => [cores, seeds])).toEqual([
      [2, 1],
      [2, 1],
      [4, 2],
      [4, 2],
    ]);
    expect([made, asked]).toEqual([6, 8]);
  });

  test.each([
    [{ seed: -1 }, "seed: -1: a whole number of 0 to 4294967295"],
    [{ seeds: 0 }, "seeds: 0: a whole number of 1 to 1000"],
    [{ workers: 1.5 }, "workers: 1.5: a whole number of 1 to 256"],
    [{ axes: { cores: 2000 } }, "axes.cores: 2000: cores is a whole number of 1 to 1024"],
  ])("refuses %j", async (options, message) => {
    await expect(runExperiment(definition, { ...options, measure: fakeMeasure })).rejects.toThrow(
      message,
    );
  });
});

test("a trace is replayed under six configurations and named in its rows", async () => {
  const { rows } = await replay("madvise-free", { measure: fakeMeasure });
  expect(rows.map((row) => row.workload)).toEqual(Array(6).fill("madvise-free"));
  expect(new Set(rows.map(({ configuration }) => JSON.stringify(configuration))).size).toBe(6);
});

test("a trace that is not there is refused before anything is measured", async () => {
  const measure = (): never => {
    throw new Error("measured");
  };
  await expect(replay("none.txt", { measure })).rejects.toThrow(/^none\.txt: /);
});

test("the command of a run leads to that run again", async () => {
  const configuration = completeConfiguration({ cpu: "rome", cores: 5, lazyTlb: "eager" });
  const run: Run = { configuration, workload: "munmap", seed: 9 };
  const words = commandFor(run).split(" ");
  const settings = words.flatMap((word, at) => (words[at - 1] === "--set" ? [word] : []));
  const seen: Run[] = [];
  await runExperiment(words[2], {
    settings: settings.map(askedSetting),
    seed: Number(words.at(-1)),
    measure: (one) => (seen.push(one), fakeMeasure(one)),
  });
  expect(seen).toEqual([run]);
});
