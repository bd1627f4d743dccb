// Every door for code from outside, by the examples of the package, from where it is installed.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExploreResult } from "../src/explore/scenario-result.ts";
import type { ExperimentResult, Row } from "../src/experiment/result.ts";
import { Installed } from "./installed.ts";

let app: Installed;

beforeAll(() => {
  app = new Installed();
});

afterAll(() => app.remove());

/** The rows of `shootdown run WORDS`, and its exit code. */
async function rowsOf(words: string): Promise<{ code: number | null; rows: readonly Row[] }> {
  const { code, stdout, stderr } = await app.shootdown("run", ...words.split(" "), "--json");
  expect([stdout === "", stderr], stderr).toEqual([false, ""]);
  return { code, rows: (JSON.parse(stdout) as ExperimentResult).rows };
}

async function explored(words: string) {
  const { code, stdout } = await app.shootdown(
    "explore",
    "--workers",
    "1",
    ...words.split(" "),
    "--json",
  );
  const { scenarios } = JSON.parse(stdout) as ExploreResult;
  const found = scenarios.map(({ violations }) => violations.map(({ invariant }) => invariant));
  return { code, scenarios, found };
}

const SMALL = "--set cores=2 --set rounds=3";

test("each of them is a door of this test", () => {
  expect(readdirSync(join(app.folder, "examples")).sort()).toEqual(
    [
      "everybody.ts",
      "every-thread-unmaps.ts",
      "freebsd-en-22-04.ts",
      "half-counted.ts",
      "isolated-cpu.ts",
      "process-madvise.ts",
      "remap-without-flush.ts",
      "two-socket-64.yaml",
    ].sort(),
  );
});

describe("a protocol", () => {
  test("runs beside one of the package, on worker threads", async () => {
    const { code, rows } = await rowsOf(
      `munmap --protocol examples/everybody.ts,linux-6.18 ${SMALL} ` +
        "--set lazyTlb=refcounted --workers 2",
    );
    expect(code).toBe(0);
    expect(rows.map(({ configuration }) => configuration.protocol)).toEqual([
      "everybody",
      "linux-6.18",
    ]);
    for (const { shootdowns, verdict } of rows) expect([shootdowns, verdict]).toEqual([3, "ok"]);
  });

  test("is explored, and is right", async () => {
    const kernel = "--protocol examples/everybody.ts --policy refcounted";
    const { code, scenarios, found } = await explored(`discard-against-switch-in ${kernel}`);
    expect([code, found]).toEqual([0, [[]]]);
    expect(scenarios[0]).toMatchObject({ protocol: "everybody", complete: true });
  });

  test("is replayed", async () => {
    const words = ["madvise-free", "--protocol", "examples/everybody.ts"];
    const chosen = ["--set", "lazyTlb=refcounted", "--set", "pcid=false"];
    const { code, stdout } = await app.shootdown("replay", ...words, ...chosen, "--json");
    const { rows } = JSON.parse(stdout) as ExperimentResult;
    expect([code, rows[0]!.configuration.protocol]).toEqual([0, "everybody"]);
    expect(rows[0]!.shootdowns).toBeGreaterThan(100);
  });
});

describe("a lazy policy", () => {
  test("that is wrong is caught by a run, which names the file in its command", async () => {
    const { code, rows } = await rowsOf(`fork-exit --policy examples/half-counted.ts ${SMALL}`);
    expect([code, rows[0]!.verdict, rows[0]!.expected]).toEqual([0, "violation", "violation"]);
    const { replay } = rows[0]!.violations[0]!;
    expect(replay).toContain("--set lazyTlb=half-counted");
    expect(replay).toContain("--code examples/half-counted.ts");
    const again = await rowsOf(replay.replace("shootdown run ", ""));
    expect(again.rows[0]!.violations[0]!.message).toBe(rows[0]!.violations[0]!.message);
  });

  test("is explored", async () => {
    const words = "last-lazy-user-leaves --policy examples/half-counted.ts";
    expect((await explored(words)).found).toEqual([["I5"]]);
  });
});

describe("a workload", () => {
  test("in which every thread maps and unmaps runs alone", async () => {
    const { code, rows } = await rowsOf(
      "--workload examples/every-thread-unmaps.ts --set cores=1,3 --set rounds=4",
    );
    expect(code).toBe(0);
    expect(rows.map(({ workload, cores, operations }) => [workload, cores, operations])).toEqual([
      ["every-thread-unmaps", 1, 4],
      ["every-thread-unmaps", 3, 12],
    ]);
  });

  test("with a system call of its own flushes once where madvise flushes each time", async () => {
    const { code, rows } = await rowsOf(
      `--workload examples/process-madvise.ts --set pages=5 ${SMALL}`,
    );
    const requests = rows.map(({ workload, shootdowns }) => [workload, shootdowns / 3]);
    expect(code).toBe(0);
    // One more for the munmap of the whole mapping.
    expect(Object.fromEntries(requests)).toEqual({ "process-madvise": 2, "madvise-each": 6 });
  });
});

test("a mutation is found by the scenario that it names", async () => {
  const { code, scenarios, found } = await explored("--mutation examples/freebsd-en-22-04.ts");
  expect([code, found]).toEqual([0, [["I1"]]]);
  expect(scenarios[0]).toMatchObject({
    mutation: "pm-gen-after-ipi",
    protocol: "freebsd",
    expected: "violation",
  });
});

test("a checker watches beside the package's, and its invariant has its own name", async () => {
  const { code, rows } = await rowsOf(`munmap --checker examples/isolated-cpu.ts ${SMALL}`);
  expect(code).toBe(1);
  const { invariant, message } = rows[0]!.violations[0]!;
  expect([invariant, message]).toEqual([
    "isolated-cpu",
    "CPU 1 is isolated, and a call interrupts it",
  ]);
});

test("a scenario that forgets its flush is found, and its right twin is clean", async () => {
  const words = "examples/remap-without-flush.ts --policy refcounted";
  const { code, scenarios, found } = await explored(words);
  const byName = Object.fromEntries(scenarios.map(({ name }, index) => [name, found[index]]));
  expect(code).toBe(1);
  expect(byName).toEqual({ "remap-without-flush": ["I1"], "remap-with-flush": [] });
});

test("a CPU from a file has what the file says, and the rest of its base", async () => {
  const { code, rows } = await rowsOf(
    "munmap --set cpu=examples/two-socket-64.yaml --set cores=64 --set rounds=2 " +
      "--set lazyTlb=eager",
  );
  expect([code, rows[0]!.configuration.cpu]).toEqual([0, "two-socket-64"]);
});
