// Scenarios from files that loop, print, end the process or keep what they should not: the command
// stays in command, and its stdout is its own.

import { describe, expect, test } from "vitest";
import { scratch } from "../scratch.ts";
import { type Ended, shootdown, shootdownAlone, shootdownStopped } from "./command.ts";

const { folder, file } = scratch("explore-files");

interface Written {
  /** Above the scenario. */
  readonly top?: string;
  readonly prepare?: string;
  /** What CPU 0 does while CPU 1 stores x and loads y. */
  readonly script?: string;
}

/** A file of one scenario of two threads. */
const scenario = (name: string, { top = "", prepare = "", script = "" }: Written): string =>
  file(
    `${name}.ts`,
    `import { Cell, load, store, work } from "shootdown";
    ${top}
    export const mine = {
      name: "mine", summary: "two threads of one mm", cpus: 2,
      prepare(stage) {
        const mm = stage.mm("mm");
        for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, "thread" + cpu.id, mm));
        const [x, y] = [0, 1].map((index) => new Cell("xy"[index], { index }, 0));
        ${prepare}
        return [function* () { ${script} }, function* () { yield* store(x, 1); yield* load(y); }];
      },
    };\n`,
  );

const words = (path: string, workers: number): readonly string[] => [
  "explore",
  path,
  "--policy",
  "refcounted",
  "--workers",
  String(workers),
];

const here = (path: string, ...more: readonly string[]): Promise<Ended> =>
  shootdown(...words(path, 1), ...more);

/** Its one line on stderr, without the folder. */
async function refusal(ended: Promise<Ended>): Promise<string> {
  const { code, stdout, stderr } = await ended;
  expect([code, stdout]).toEqual([2, ""]);
  const lines = stderr.trimEnd().split("\n");
  const told = lines.filter((line) => !/: exploring, |explored, now/.test(line));
  expect(told).toHaveLength(1);
  return told[0]!.replaceAll(`${folder}/`, "");
}

describe("a scenario that loops", () => {
  test.concurrent("in a script is ended by --time, whichever thread it is in", async () => {
    const path = scenario("loops", { script: "for (;;);" });
    const [one, two] = await Promise.all(
      [1, 2].map((threads) => refusal(shootdownAlone(...words(path, threads), "--time", "1"))),
    );
    expect(one).toMatch(/^shootdown: loops.ts: "mine": its code does not come back: look for/);
    expect(two).toBe(one);
  });

  test.concurrent("in a script is ended by a signal, and says so", async () => {
    const script = "console.log('looping'); for (;;);";
    const path = scenario("loops-stopped", { script });
    const run = await shootdownStopped("SIGINT", /looping/, ...words(path, 1));
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/"mine": its code does not come back/);
    expect(run.stderr).toMatch(/^shootdown: interrupted: 1 of 1 explorations were begun$/m);
  });
});

describe("a scenario from a file", () => {
  test("prints to stderr, and not into the document", async () => {
    const path = scenario("prints", {
      top: 'console.log("on top");',
      prepare: 'console.log("prepared"); process.stdout.write("written\\n");',
    });
    const { code, stdout, stderr } = await here(path, "--json");
    expect([code, JSON.parse(stdout).scenarios[0].complete]).toEqual([0, true]);
    for (const text of ["on top", "prepared", "written"]) expect(stderr).toContain(text);
  });

  test.each([
    ["process.exit(0) in its preparation", { prepare: "process.exit(0);" }, "it ends the process"],
    ["a promise that is rejected", { top: 'Promise.reject(new Error("lost"));' }, "lost"],
  ])("with %s is bad input", async (what, written, message) => {
    expect(await refusal(here(scenario(what.replaceAll(/\W+/g, "-"), written)))).toContain(message);
  });

  test("with a timer that never ends does not keep the command from ending", async () => {
    const path = scenario("timer", { top: "setInterval(() => {}, 1000);" });
    expect(await shootdownAlone(...words(path, 1))).toMatchObject({ code: 0 });
  });

  test("with a flag that a file which it imports keeps diverges, on two threads", async () => {
    file("kept.ts", "export const kept = { isDone: false };\n");
    const script = `
      const seen = yield* load(x);
      if (seen === 0) kept.isDone = true;
      if (seen === 1 && !kept.isDone) yield* store(y, 7); else yield* load(y);`;
    const path = scenario("flag", { top: 'import { kept } from "./kept";', script });
    expect(await refusal(shootdown(...words(path, 2)))).toMatch(
      /flag.ts: mine: "recorded CPU 0 load y, now CPU 0 store y": the replay diverged at step/,
    );
  });
});

test("a protocol from a file prints to stderr, and not into the document", async () => {
  const path = file(
    "loud.ts",
    `import { protocols } from "shootdown/kernel";
    console.log("on top");
    export const loud = { ...protocols["linux-5.13"], name: "loud" };\n`,
  );
  const small = ["cores=2", "rounds=1", "lazyTlb=refcounted"].flatMap((one) => ["--set", one]);
  const run = await shootdownAlone("run", "munmap", "--protocol", path, ...small, "--json");
  expect([run.code, JSON.parse(run.stdout).rows.length]).toEqual([0, 1]);
  expect(run.stderr).toContain("on top");
});

test("--reduction source beside --preemption-bound is refused in one line", async () => {
  const bounds = ["--preemption-bound", "1", "--reduction", "source"];
  expect(await refusal(shootdown("explore", "two-flushers", ...bounds))).toBe(
    'shootdown: --reduction: "source": leaves orders out under a bound on preemptions; ' +
      "give one of the two",
  );
});

describe("--replay refuses in one line", () => {
  const NAMES = { policy: "eager", protocol: "linux-6.18", mutation: "none", memory: "sc" };
  const withSchedule = (schedule: unknown, names: object = { ...NAMES, name: "two-flushers" }) => ({
    scenarios: [{ ...names, violations: [{ invariant: "I1", schedule }] }],
  });
  const STEP = { cpu: 0, does: "step" };

  test.each([
    ["no object for a scenario", { scenarios: [null] }, "a document of `shootdown explore --json`"],
    ["an empty schedule", withSchedule([]), "schedule: []: a list of steps"],
    ["no name", withSchedule([STEP], NAMES), "name: missing: a name"],
    ["a CPU that cannot be", withSchedule([{ ...STEP, cpu: 40 }]), "step 1: "],
    ["choices that are none", withSchedule([{ ...STEP, choices: [-1] }]), "step 1: "],
  ])("%s", async (what, document, message) => {
    const path = file(`${what.replaceAll(" ", "-")}.json`, JSON.stringify(document));
    expect(await refusal(shootdown("explore", "--replay", path))).toContain(message);
  });

  test("a file without an end", async () => {
    const line = await refusal(shootdown("explore", "--replay", "/dev/zero"));
    expect(line).toContain('--replay: "/dev/zero": more than 67108864 bytes');
  });
});
