// `shootdown explore` as other programs call it.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SHARES } from "../../src/explore/search/pass.ts";
import { shootdown, shootdownStopped } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "shootdown-explore-"));
const inFolder = (name: string): string => join(folder, name);

/** Its types would have to be stripped, and it imports another file. */
const MINE = `
import { mprotect, type Scenario } from "shootdown";
import { page, rights } from "./rights.ts";

export const protectAgainstReturn: Scenario = {
  name: "protect-against-return",
  summary: "a page is protected while a lazy CPU returns to a thread that reads it",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = stage.cpus;
    const mm = stage.mm("mm");
    stage.switchTo(stage.task(cpu0, "protector", mm));
    stage.makeReady(stage.reader(cpu1, mm));
    return [(cpu) => mprotect(cpu, mm, page, rights)];
  },
} satisfies Scenario;
`;
const RIGHTS = `
import { onePage } from "shootdown";
export const page = onePage();
export const rights = { writable: false, executable: false } as const;
`;

const LONG = `
import { flushRange, onePage } from "shootdown";

export const threeFlushers = {
  name: "three-flushers",
  summary: "three threads flush their mm at the same time",
  cpus: 3,
  prepare(stage) {
    const mm = stage.mm("mm");
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, "flusher", mm));
    const flush = (cpu) => flushRange(cpu, { mm, range: onePage(), freedTables: false });
    return [flush, flush, flush];
  },
};
`;

/** A million orders. */
const MANY = `
import { Cell, store } from "shootdown";
export const manyStores = {
  name: "many-stores",
  summary: "three CPUs store to one variable",
  cpus: 3,
  prepare() {
    const cell = new Cell("x", { index: -1 }, 0);
    const stores = function* () {
      for (let count = 0; count < 5; count++) yield* store(cell, count);
    };
    return [stores, stores, stores];
  },
};
`;

/** In this thread: others take longer to start than most explorations here take. */
const explored = (...words: readonly string[]) => shootdown("explore", "--workers", "1", ...words);

const PROGRESS =
  /^shootdown: 0 of 1 explored, now three-flushers: \S+ executions, .* a second, .*, \d s$/m;

const REFCOUNTED = ["--policy", "refcounted"];

describe("shootdown explore", () => {
  test("finds what is expected and exits 0, with the document of the contract", async () => {
    const run = await explored("exit-while-lazy", "--policy", "unrefcounted", "--json");
    expect(run.code).toBe(0);
    const [scenario] = JSON.parse(run.stdout).scenarios;
    expect(scenario).toMatchObject({
      name: "exit-while-lazy",
      policy: "unrefcounted",
      protocol: "linux-6.18",
      mutation: "none",
      memory: "tso",
      complete: false,
      expected: "violation",
    });
    expect(scenario.executions).toBeGreaterThan(0);
    expect(Object.keys(scenario.violations[0])).toEqual(
      expect.arrayContaining(["invariant", "message", "schedule"]),
    );
  });

  test("writes a counterexample that --replay runs to the same violation", async () => {
    const mutation = ["--mutation", "should-flush-ignores-switching"];
    const found = await explored(...mutation, "--json", "--diagram", inFolder("race.mmd"));
    writeFileSync(inFolder("race.json"), found.stdout);
    const again = await explored("--replay", inFolder("race.json"), "--json");
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout).violations).toEqual(
      JSON.parse(found.stdout).scenarios[0].violations,
    );
    expect(readFileSync(inFolder("race.mmd"), "utf8")).toMatch(
      /^sequenceDiagram\n {2}participant C0/,
    );
  });

  test("writes the same bytes on one thread and on two, which share one exploration", async () => {
    const scenario = ["two-flushers", "--memory", "sc"];
    const job = ["explore", ...scenario, ...REFCOUNTED, "--json"];
    const alone = await shootdown(...job, "--workers", "1");
    expect(JSON.parse(alone.stdout).scenarios[0].executions).toBeGreaterThan(SHARES.first);
    expect((await shootdown(...job, "--workers", "2")).stdout).toBe(alone.stdout);
  }, 120_000);

  test("says in a table who did what in which Linux function", async () => {
    const { stdout } = await explored("--mutation", "freed-tables-false");
    expect(stdout).toMatch(/I2: CPU 0 frees a page-table table of a while lazy CPU \d has it/);
    expect(stdout).toMatch(/Meanwhile CPU 1, lazy is in do_idle, before: /);
    expect(stdout).toMatch(/unmap_page_range > zap_pte_range: exchangeEntry a page 0xffff/);
  });

  test("fails where a correct kernel is not covered to the end", async () => {
    const run = await explored("two-flushers", "--max-executions", "10", "--policy", "eager");
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(/no violation, cut by executions/);
    expect(run.stdout).toMatch(/^cut by executions: --max-executions was reached/m);
  });

  // Three flushers are more than anybody waits for.
  describe("with a scenario that takes long", () => {
    const file = inFolder("long.ts");
    writeFileSync(file, LONG);
    const job = [file, ...REFCOUNTED];

    test("ends when its time is over", async () => {
      const run = await explored(...job, "--time", "1");
      expect(run.stdout).toMatch(/no violation, cut by time\n/);
    });

    test("ends by default after 200000 executions, and says so", async () => {
      const path = inFolder("many.ts");
      writeFileSync(path, MANY);
      const run = await explored(path, "--memory", "sc", "--reduction", "none", ...REFCOUNTED);
      expect(run.code).toBe(1);
      expect(run.stdout).toMatch(/^many-stores .* 200000 .* no violation, cut by executions$/m);
      expect(run.stdout).toMatch(
        /^cut by executions: --max-executions was reached, for a scenario from a file 200000/m,
      );
    }, 120_000);

    test.each([
      ["SIGINT", 1],
      ["SIGTERM", 2],
    ] as const)(
      "says how far it is, and on %s with %i threads what was covered",
      async (...of) => {
        const [signal, threads] = of;
        const words = ["explore", ...job, "--workers", String(threads)];
        const run = await shootdownStopped(signal, /executions/, ...words);
        expect(run.code).toBe(1);
        expect(run.stdout).toMatch(/^three-flushers .* no violation, cut by interrupt\n/m);
        expect(run.stdout).toMatch(/^cut by interrupt: a signal ended it$/m);
        expect(run.stderr).toMatch(PROGRESS);
        expect(run.stderr).toMatch(/^shootdown: interrupted: 1 of 1 explorations were begun$/m);
      },
      60_000,
    );
  });

  describe("with a file of scenarios", () => {
    const file = inFolder("mine.ts");
    writeFileSync(file, MINE);
    writeFileSync(inFolder("rights.ts"), RIGHTS);

    test("explores them on worker threads as those of the package", async () => {
      const run = await shootdown("explore", file, "--workers", "2", "--json");
      const { scenarios } = JSON.parse(run.stdout);
      expect(run.code).toBe(0);
      expect(scenarios).toHaveLength(4);
      for (const result of scenarios) {
        expect(result).toMatchObject({ name: "protect-against-return", file, complete: true });
        expect([result.violations, result.expected]).toEqual([[], "ok"]);
      }
    });

    test("replays what was found in one of them, read from the file again", async () => {
      const found = await explored(file, "--mutation", "unlazy-without-barrier", "--json");
      const [{ violations }] = JSON.parse(found.stdout).scenarios;
      expect(violations).toMatchObject([{ invariant: "I1" }]);
      writeFileSync(inFolder("mine.json"), found.stdout);
      const again = await explored("--replay", inFolder("mine.json"), "--json");
      expect([again.code, JSON.parse(again.stdout).violations]).toEqual([0, violations]);
    });

    test("replays it where another scenario of the file does not fit the protocol", async () => {
      const path = inFolder("grown.ts");
      writeFileSync(path, MINE);
      const chosen = ["--protocol", "linux-5.13", "--mutation", "unlazy-without-barrier"];
      const found = await explored(path, ...chosen, "--json");
      writeFileSync(inFolder("grown.json"), found.stdout);
      const unfit = MINE.replace("cpus: 2", "cpus: 2, kernel: { invlpgb: true }")
        .replace("protect-against-return", "with-invlpgb")
        .replace("protectAgainstReturn", "withInvlpgb");
      writeFileSync(path, `${unfit}\n${MINE.replace(/^import .*$/gm, "")}`);
      const again = await explored("--replay", inFolder("grown.json"), "--json");
      const [{ violations }] = JSON.parse(found.stdout).scenarios;
      expect(violations).toMatchObject([{ invariant: "I1" }]);
      expect([again.code, JSON.parse(again.stdout).violations]).toEqual([0, violations]);
    });

    test("refuses a protocol that needs PCID where one has none", async () => {
      const path = inFolder("without-pcid.ts");
      writeFileSync(path, MINE.replace("cpus: 2", "cpus: 2, kernel: { pcid: false }"));
      const run = await explored(path, "--protocol", "abis");
      expect([run.code, run.stdout]).toEqual([2, ""]);
      expect(run.stderr).toMatch(
        /: "abis": protect-against-return needs one of linux-4.8, .*latr$/m,
      );
    });

    test.each([
      ["there is no file", null, /nowhere.ts": no such file; give one that is$/],
      [
        "it is not TypeScript",
        "export const x: number = ;",
        /cannot be loaded: ParseError.*:1:25$/,
      ],
      ["it imports what is not there", 'import "./x.ts";', /cannot be loaded: Cannot find module/],
      ["it exports no scenario", "export const x = 1;", /exports no scenario: an object with/],
      [
        "its name is taken",
        MINE.replace("protect-against-return", "two-flushers"),
        /: name: "two-flushers": is the name of another scenario; take a new one$/,
      ],
      [
        "it has too many CPUs",
        MINE.replace("cpus: 2", "cpus: 8"),
        /cpus: 8: a whole number from 1/,
      ],
      [
        "it declares a break of no policy",
        MINE.replace("cpus: 2", 'cpus: 2, breaks: [{ policies: ["refcount"], reason: "none" }]'),
        /breaks.policies: "refcount": did you mean refcounted\?/,
      ],
      [
        "it declares a break without a reason",
        MINE.replace("cpus: 2", 'cpus: 2, breaks: [{ policies: ["eager"] }]'),
        /breaks.reason: .*: one sentence$/,
      ],
      [
        "its code throws",
        MINE.replace("stage.makeReady", "stage.makeRaedy"),
        /": its code fails: stage.makeRaedy is not a function \(.*its-code-throws.ts:13\)$/,
      ],
    ])("says in one line that %s", async (what, text, message) => {
      const path = inFolder(text === null ? "nowhere.ts" : `${what.replaceAll(" ", "-")}.ts`);
      if (text !== null) writeFileSync(path, text);
      const run = await explored(path);
      expect([run.code, run.stdout]).toEqual([2, ""]);
      const lines = run.stderr.trimEnd().split("\n");
      expect(lines.at(-1)).toMatch(message);
      // On a busy machine it takes so long that a line tells how it goes.
      expect(lines.filter((line) => !/: exploring, |explored, now/.test(line))).toHaveLength(1);
    });
  });

  test.each([
    [["exit-while-lasy"], /SCENARIO: "exit-while-lasy": did you mean exit-while-lazy\?/],
    [["--policy", "refcount"], /--policy: "refcount": did you mean refcounted\?/],
    [["--memory", "pso"], /--memory: "pso": did you mean \w+\?|--memory: "pso": one of sc, tso/],
    [["--max-steps", "-3"], /--max-steps: "-3": a whole number/],
    [
      ["isolated-reader", "--protocol", "linux-4.8"],
      /--protocol: "linux-4.8": isolated-reader needs/,
    ],
    [["--replay", "nowhere.json"], /--replay: "nowhere.json": ENOENT/],
    [["--replay", "package.json"], /package.json: .*a document of `shootdown explore --json`/],
  ])("refuses %j with one line and exit code 2", async (args, message) => {
    const run = await explored(...args);
    expect([run.code, run.stdout]).toEqual([2, ""]);
    expect(run.stderr).toMatch(message);
    expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
