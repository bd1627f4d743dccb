// What code keeps for itself between executions, and chance: both are told. What keeps to cells is
// left in peace, as all scenarios of the package are.

import { describe, expect, test } from "vitest";
import { subjectOf } from "../../../src/explore/explore-job.ts";
import { explore } from "../../../src/explore/explore.ts";
import type { Subject } from "../../../src/explore/execution/scenario-system.ts";
import type { Scenario, Script } from "../../../src/explore/scenarios/scenario.ts";
import { scenarioNamed, SCENARIOS } from "../../../src/explore/scenarios/scenarios.ts";
import { exploreScenario } from "../../../src/explore/search/explorer.ts";
import { Cell } from "../../../src/kernel/operation/cell.ts";
import { scratch } from "../../scratch.ts";
import { load, locked, store, waitUntil } from "../../../src/kernel/operation/operation.ts";

const { file } = scratch("witness");

interface Cells {
  readonly x: Cell<number>;
  readonly y: Cell<number>;
}

/** What one thread does while another stores x and loads y. */
const scenario = (does: (cells: Cells) => Script): Scenario => ({
  name: "mine",
  summary: "two threads of one mm",
  cpus: 2,
  prepare(stage) {
    const mm = stage.mm("mm");
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
    const cells = { x: new Cell("x", { index: 0 }, 0), y: new Cell("y", { index: 1 }, 0) };
    const other: Script = function* () {
      yield* store(cells.x, 1);
      yield* load(cells.y);
    };
    return [does(cells), other];
  },
});

async function verdict(does: (cells: Cells) => Script): Promise<string> {
  const { scenarios } = await explore({ scenarios: [scenario(does)], policy: "refcounted" });
  return scenarios[0]!.complete ? "complete" : "not complete";
}

const DIVERGED = /^mine: .*: the replay diverged at .*: keep state in cells, take no chance$/;

describe("an exploration stops", () => {
  test("at a variable that the first execution sets for all others", async () => {
    const does = verdict(({ x, y }) => {
      let isDone = false;
      return function* () {
        const seen = yield* load(x);
        if (seen === 0) isDone = true;
        if (seen === 1 && !isDone) yield* store(y, 7);
        else yield* load(y);
      };
    });
    await expect(does).rejects.toThrow(DIVERGED);
    await expect(does).rejects.toThrow(/"recorded CPU 0 load y, now CPU 0 store y"/);
  });

  test("at a counter that grows, where it is stored", async () => {
    let count = 0;
    const does = verdict(
      ({ x, y }) =>
        function* () {
          yield* load(x);
          yield* store(y, ++count);
        },
    );
    await expect(does).rejects.toThrow(/"recorded CPU 0 store y, value \d+, now value \d+"/);
  });

  test("at a counter that grows, where it is what a variable is updated to", async () => {
    let count = 0;
    const does = verdict(
      ({ x, y }) =>
        function* () {
          yield* load(x);
          yield* locked(y, () => ++count);
          yield* load(y);
        },
    );
    await expect(does).rejects.toThrow(/"recorded CPU 0 load y = \d+, now \d+"/);
  });

  test("at a counter that decides whether a wait is over", async () => {
    let count = 0;
    const does = verdict(
      ({ x, y }) =>
        function* () {
          yield* load(x);
          yield* waitUntil(y, () => ++count % 3 === 0);
        },
    );
    await expect(does).rejects.toThrow(
      /"recorded (no step|\w+ of CPU \d.*), now (no step|\w+ of CPU)/,
    );
  });

  test("at chance in a script", async () => {
    const does = verdict(
      ({ x, y }) =>
        function* () {
          yield* load(x);
          yield* store(y, Math.random());
        },
    );
    await expect(does).rejects.toThrow(DIVERGED);
  });

  test("at the time of day in a preparation", async () => {
    const does = verdict(({ x, y }) => {
      const start = performance.now();
      return function* () {
        yield* load(x);
        yield* store(y, start);
      };
    });
    await expect(does).rejects.toThrow(DIVERGED);
  });
});

test("an exploration stops at a flag of the file, which is set once and for all", async () => {
  const text = `
    import { Cell, load, store } from "shootdown";
    let isDone = false;
    export const mine = {
      name: "mine", summary: "two threads of one mm", cpus: 2,
      prepare(stage) {
        const mm = stage.mm("mm");
        for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, "thread" + cpu.id, mm));
        const [x, y] = [0, 1].map((index) => new Cell("xy"[index], { index }, 0));
        const skips = function* () {
          const seen = yield* load(x);
          if (seen === 0) isDone = true;
          if (seen === 1 && !isDone) yield* store(y, 7);
          else yield* load(y);
        };
        return [skips, function* () { yield* store(x, 1); yield* load(y); }];
      },
    };`;
  const path = file("flag.mjs", text);
  await expect(explore({ scenarios: [path], policy: "refcounted" })).rejects.toThrow(
    `${path}: mine: "recorded CPU 0 load y, now CPU 0 store y": the replay diverged at step`,
  );
});

test("a variable that a script sets when it begins is its own", async () => {
  let count = 0;
  const does = verdict(
    ({ x, y }) =>
      function* () {
        count = 0;
        yield* load(x);
        yield* store(y, ++count);
      },
  );
  expect(await does).toBe("complete");
});

const outside = (one: Scenario): Subject => {
  const protocol = one.protocols?.[0] ?? "linux-6.18";
  const kernel = { policy: "refcounted", protocol, mutation: "none", memory: "tso" } as const;
  return { ...subjectOf({ name: one.name, ...kernel }), codeFrom: "outside" };
};

test.each(SCENARIOS.map((each) => [each.name, each] as const))(
  "%s of the package does the same in each kernel",
  async (_name, one) => {
    const { executions } = await exploreScenario(one, outside(one), { maxExecutions: 4 });
    expect(executions).toBeGreaterThan(0);
  },
);

test("what is looked at comes to the same as what is not", async () => {
  const one = scenarioNamed("exit-while-lazy");
  const alone = await exploreScenario(one, { ...outside(one), codeFrom: "package" });
  expect(await exploreScenario(one, outside(one))).toEqual(alone);
});
