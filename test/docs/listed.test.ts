// What is listed in the code is in the docs: a recipe of CONTRIBUTING.md that was followed by half
// fails here, and so does a counter that nobody reads. Files that no list names fail in tidy.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { COMMAND_NAMES } from "../../src/cli/command-line.ts";
import { AXIS_NAMES } from "../../src/experiment/axes.ts";
import { LAZY_POLICY_NAMES } from "../../src/kernel/lazy/policies.ts";
import { MUTATION_NAMES } from "../../src/kernel/operation/mutation.ts";
import { PROTOCOL_NAMES } from "../../src/kernel/shootdown/protocols.ts";
import { PRESET_NAMES } from "../../src/presets/presets.ts";
import { WORKLOAD_NAMES } from "../../src/workloads/workloads.ts";
import { runExperiment } from "../../src/experiment/run-experiment.ts";
import { fakeMeasure } from "../experiment/samples.ts";

const CHANGELOG = readFileSync(new URL("../../CHANGELOG.md", import.meta.url), "utf8");
const DOCS = fileURLToPath(new URL("../../docs", import.meta.url));

/** The text of the docs whose path, from docs/, begins with one of the places. */
const textOf = (...places: readonly string[]): string =>
  readdirSync(DOCS, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".md") && places.some((place) => path.startsWith(place)))
    .map((path) => readFileSync(join(DOCS, path), "utf8"))
    .join("\n");

test.each([
  ["lazy policy", LAZY_POLICY_NAMES, "lazy-tlb"],
  ["protocol", PROTOCOL_NAMES, "protocols"],
  ["workload", WORKLOAD_NAMES, "commands/run"],
  ["preset", PRESET_NAMES, "presets"],
  ["mutation", MUTATION_NAMES, "protocols"],
  ["axis", AXIS_NAMES, "commands/run"],
])("every %s is in its page", (_what, names, place) => {
  const text = textOf(place);
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test("every command has a page that opens with its name", () => {
  for (const name of COMMAND_NAMES)
    expect(textOf(`commands/${name}.md`)).toContain(`# shootdown ${name}\n`);
});

test("the changelog has every axis and every key of a row: they are a contract", async () => {
  const definition = { name: "one", workloads: ["munmap"], axes: { cores: 2, rounds: 2 } } as const;
  const { rows, ...head } = await runExperiment(definition, { seeds: 2, measure: fakeMeasure });
  const keys = [...AXIS_NAMES, ...Object.keys(rows[0]!), ...Object.keys(head), "rows"];
  expect(keys).toContain("confidence");
  expect(keys.filter((key) => !CHANGELOG.includes(`\`${key}\``))).toEqual([]);
});

test("the host reads every counter that the machine has, and their number is right", () => {
  const textAt = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const constants = [...textAt("assembly/abi.ts").matchAll(/ COUNTER_(\w+): u32 = (\d+)/g)];
  const [, count] = /const COUNTERS: u32 = (\d+)/.exec(textAt("assembly/abi.ts"))!;
  expect(constants.map(([, , index]) => Number(index))).toEqual([...constants.keys()]);
  expect(constants).toHaveLength(Number(count));
  const read = textAt("src/machine/counters.ts");
  const unread = constants.map(([, name]) => name).filter((name) => !read.includes(`"${name}"`));
  expect(unread).toEqual([]);
});
