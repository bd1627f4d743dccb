// `shootdown perf [SCENARIO...]`: how fast this program itself is. Several scenarios run in one
// process each, because one leaves the next with code that the compiler optimised for both.

import { execFileSync } from "node:child_process";
import Table from "cli-table3";
import { Command } from "commander";
import { median } from "simple-statistics";
import { readName } from "../base/bad-input.ts";
import { PERF_SCENARIOS } from "../perf/perf-scenarios.ts";
import { idleSeedOption, jsonOption } from "./options.ts";
import { print, toJson } from "./output.ts";

interface PerfResult {
  readonly name: string;
  readonly unit: string;
  /** The median of the samples. */
  readonly value: number;
  readonly samples: readonly number[];
}

export function perfCommand(): Command {
  const names = PERF_SCENARIOS.map((scenario) => scenario.name);
  return new Command("perf")
    .description("throughput of this program: standard streams and kernel loops")
    .argument("[scenario...]", `some of ${names.join(", ")}`)
    .addOption(jsonOption())
    .addOption(idleSeedOption())
    .action(async (chosen: readonly string[], options: { readonly json?: true }) => {
      for (const name of chosen) readName("perf", name, names);
      const scenarios = await measure(chosen.length === 0 ? names : chosen);
      print(options.json ? toJson({ scenarios }) : formatScenarios(scenarios));
    });
}

async function measure(names: readonly string[]): Promise<readonly PerfResult[]> {
  if (names.length !== 1) return names.map(measureApart);
  const { name, unit, measure: take } = PERF_SCENARIOS.find((one) => one.name === names[0])!;
  const samples = await take();
  return [{ name, unit, value: median([...samples]), samples }];
}

function measureApart(name: string): PerfResult {
  const main = process.argv[1]!;
  const text = execFileSync(process.execPath, [main, "perf", name, "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return (JSON.parse(text) as { scenarios: readonly [PerfResult] }).scenarios[0];
}

function formatScenarios(scenarios: readonly PerfResult[]): string {
  const table = new Table({
    head: ["scenario", "median", "fastest", "unit"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "left"],
  });
  for (const { name, unit, value, samples } of scenarios) {
    table.push([name, value.toFixed(2), Math.min(...samples).toFixed(2), unit]);
  }
  return `${table.toString()}\n`;
}
