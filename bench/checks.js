// What the checkers cost: processor time of each workload with and without them, in turns, the
// least of several. The simulated cycles are the same. Against dist/.
//
//   node bench/checks.js [--save]

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { completeConfiguration } from "../dist/experiment/axes.js";
import { simulate } from "../dist/experiment/simulate.js";
import { WORKLOAD_NAMES } from "../dist/workloads/workloads.js";

const CORES = 28;
const ROUNDS = 10;
const TURNS = 5;

const configuration = completeConfiguration({ cores: CORES, rounds: ROUNDS });

const secondsOf = async (workload, checks) => {
  const before = process.cpuUsage();
  await simulate({ configuration, workload, seed: 1, checks });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

const rows = [];
for (const workload of WORKLOAD_NAMES) {
  const samples = { on: [], off: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    samples.off.push(await secondsOf(workload, false));
    samples.on.push(await secondsOf(workload, true));
  }
  const [on, off] = [Math.min(...samples.on), Math.min(...samples.off)];
  rows.push({ workload, cores: CORES, rounds: ROUNDS, unit: "s", on, off, ratio: on / off });
  console.log(`${workload.padEnd(12)} ${off.toFixed(3)} s, with checks ${on.toFixed(3)} s`);
}
const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
console.log(`all: x${(total("on") / total("off")).toFixed(2)}`);

if (process.argv.includes("--save")) {
  const host = { cpu: cpus()[0].model, node: process.version };
  const model = host.cpu.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const file = new URL(`./results/checks-${model}-node-${host.node}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify({ ...host, rows }, null, 2)}\n`);
}
