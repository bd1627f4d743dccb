// One access scenario on one preset, measured by Benchmark.js; the result as JSON on stdout.

import Benchmark from "benchmark";
import { ACCESS_SCENARIOS } from "../dist/perf/access-scenarios.js";
import { describeMachine } from "../dist/presets/describe.js";
import { presetNamed } from "../dist/presets/presets.js";

const ACCESSES = 20_000;

const [preset, name] = process.argv.slice(2);
const scenario = ACCESS_SCENARIOS.find((candidate) => candidate.name === name);
const run = scenario.prepare(describeMachine(presetNamed(preset), { cores: 1 }));
for (let warmUp = 0; warmUp < 20; warmUp++) run(ACCESSES);

const bench = new Benchmark(name, () => run(ACCESSES), { maxTime: 1 });
bench.run();
const toNs = (seconds) => (seconds * 1e9) / ACCESSES;
const sample = bench.stats.sample.toSorted((a, b) => a - b);
const result = {
  median: toNs(sample[Math.floor(sample.length / 2)]),
  fastest: toNs(sample[0]),
  marginOfErrorPercent: bench.stats.rme,
  samples: sample.length,
};
console.log(JSON.stringify(result));
