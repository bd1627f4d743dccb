// Throughput of the machine itself: every access scenario on every preset, each in a process of its
// own (a process that has run one leaves the next with code compiled for both). Against dist/.
//
//   npm run bench [-- --save]     --save keeps the result in bench/results/

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { ACCESS_SCENARIOS } from "../dist/perf/access-scenarios.js";
import { PRESET_NAMES } from "../dist/presets/presets.js";

const one = fileURLToPath(new URL("./access.js", import.meta.url));
const host = { cpu: cpus()[0].model, node: process.version };

const rows = [];
for (const preset of PRESET_NAMES) {
  for (const { name, unit } of ACCESS_SCENARIOS) {
    const text = execFileSync(process.execPath, [one, preset, name], { encoding: "utf8" });
    const row = { preset, name, unit, ...JSON.parse(text) };
    rows.push(row);
    const spread = `(fastest ${row.fastest.toFixed(1)}, +-${row.marginOfErrorPercent.toFixed(1)}%)`;
    console.log(
      `${preset.padEnd(12)} ${name.padEnd(16)} ${row.median.toFixed(1)} ${unit} ${spread}`,
    );
  }
}

if (process.argv.includes("--save")) {
  const model = host.cpu.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const file = new URL(`./results/access-${model}-node-${host.node}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify({ ...host, rows }, null, 2)}\n`);
}
