// Throughput of the explorer: executions a second on one core, without reduction, of two CPUs with
// twenty steps each (loads and stores of each other's variable), and of a kernel scenario with
// reduction. Against dist/.
//
//   node bench/explore.js [--save]

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { ScenarioSystem } from "../dist/explore/execution/scenario-system.js";
import { limitsOf } from "../dist/explore/search/bounds.js";
import { subjectOf } from "../dist/explore/explore-job.js";
import { isShared } from "../dist/explore/execution/locations.js";
import { scenarioNamed } from "../dist/explore/scenarios/scenarios.js";
import { Search } from "../dist/explore/search/search.js";
import { Cell } from "../dist/kernel/operation/cell.js";
import { load, store } from "../dist/kernel/operation/operation.js";

const KERNEL = { policy: "refcounted", protocol: "linux-6.18", mutation: "none" };
const STEPS = 20;
const ROUNDS = 5;

/** Cells belong to one exploration: each has its own. */
const twentyEach = () => {
  const mine = ["x", "y"].map((name) => new Cell(name, { index: -1 }, 0));
  return {
    name: "twenty steps on each of two CPUs",
    summary: "each stores to its own variable and loads the other's",
    cpus: 2,
    prepare: (stage) =>
      [0, 1].map(
        (id) =>
          function* () {
            for (let step = 0; step < STEPS; step += 2) {
              yield* store(mine[id], step);
              yield* load(mine[1 - id]);
            }
            yield* stage.rest();
          },
      ),
  };
};

const cases = [
  { scenario: twentyEach(), memory: "sc", reduction: "none", executions: 100_000 },
  { scenario: twentyEach(), memory: "tso", reduction: "none", executions: 100_000 },
  {
    scenario: scenarioNamed("two-flushers"),
    memory: "tso",
    reduction: "source",
    executions: 10_000,
  },
];

const rows = cases.map(({ scenario, memory, reduction, executions }) => {
  const subject = subjectOf({ ...KERNEL, name: scenario.name, memory });
  const exploration = new ScenarioSystem(scenario, { ...subject, codeFrom: "package" });
  const { locations } = exploration.executor;
  const limits = limitsOf({ reduction });
  let shared = [];
  const explore = () => {
    locations.begin(shared);
    const listener = { failed() {}, ended: () => !locations.grew };
    const search = new Search(exploration, limits, listener);
    const start = performance.now();
    search.run(executions);
    const { covered } = search;
    return { rate: (1000 * covered.executions) / (performance.now() - start), covered };
  };
  do {
    explore();
    const news = locations.owners.filter(([, readers, writers]) => isShared(readers, writers));
    shared = [...new Set([...shared, ...news.map(([key]) => key)])];
  } while (locations.grew);
  const runs = Array.from({ length: ROUNDS }, explore);
  const fastest = Math.round(Math.max(...runs.map(({ rate }) => rate)));
  const steps = runs[0].covered.depth;
  const row = { scenario: scenario.name, memory, reduction, steps, unit: "executions/s", fastest };
  console.log(`${row.scenario}, ${memory}, ${reduction}, ${steps} steps: ${fastest} a second`);
  return { ...row, samples: runs.map(({ rate }) => Math.round(rate)) };
});

if (process.argv.includes("--save")) {
  const host = { cpu: cpus()[0].model, node: process.version };
  const model = host.cpu.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const file = new URL(`./results/explore-${model}-node-${host.node}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify({ ...host, rows }, null, 2)}\n`);
}
