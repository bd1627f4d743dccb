// What ends a command early does not take along what it has measured.

import { expect, test } from "vitest";
import type { ExperimentResult } from "../../src/experiment/result.ts";
import { scratch } from "../scratch.ts";
import { shootdown, shootdownStopped, TINY } from "./command.ts";

const { file } = scratch("partial");

/** A workload of one's own that refuses to run on three CPUs. */
const PICKY = `
import { workloads } from "shootdown/kernel";
export const picky = {
  name: "picky",
  summary: "munmap, except on three CPUs",
  program(scene) {
    if (scene.cpus.length === 3) throw new Error("three is too many");
    return workloads.munmap.program(scene);
  },
};`;

test("code from outside that fails in one run leaves the rows of others", async () => {
  const path = file("picky.ts", PICKY);
  const words = ["run", "--workload", path, "--set", "cores=2,3,4", "--set", "rounds=2"];
  const kernel = ["--set", "lazyTlb=eager", "--json", "--workers", "1"];
  const { code, stdout, stderr } = await shootdown(...words, ...kernel);
  const { rows } = JSON.parse(stdout) as ExperimentResult;
  expect(rows.map(({ cores }) => cores)).toEqual([4]); // the longest come first
  expect(stderr).toMatch(/^shootdown: .*picky\.ts.*three is too many.*\n$/);
  expect(code).toBe(2);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends a run with exit code %i, and says how many runs were made", async (...of) => {
  const [signal, exitCode] = of;
  const left = ["--set", "cpu=rome,skylake-sp", "--set", "pcid=true,false"];
  const long = ["run", "pingpong", ...left, "--set", "cores=192", "--set", "rounds=1000"];
  const { code, stdout, stderr } = await shootdownStopped(signal, /left out/, ...long);
  expect(stderr).toMatch(/^shootdown: interrupted: 0 of \d+ runs were made\n$/m);
  expect([code, stdout]).toEqual([exitCode, ""]);
});

test("a command that is not interrupted says nothing of it", async () => {
  expect((await shootdown("run", "munmap", ...TINY)).stderr).toBe("");
});
