// Writes what pages of docs/protocols say of every protocol and mutation: which policies and features
// go with which protocol and which rules refuse the rest (combinations.md), from
// src/experiment/constraints.ts and from what kernels look at when they run; and all mutations
// (mutations.md). Needs a build.
//
//   npm run docs:protocols [-- --check]
//
// --check writes nothing, and exits 1 where the docs are not as they would be written.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { MUTATIONS } from "../dist/catalogue/mutations.js";
import { combinationOf, filled, RULES } from "../dist/experiment/constraints.js";
import { atSmallSize, canRun, everyKernel, QUIET_AXES } from "../dist/verify/matrix/product.js";
import { simulate } from "../dist/experiment/simulate.js";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../dist/kernel/lazy/policies.js";
import { PROTOCOL_NAMES } from "../dist/kernel/shootdown/protocols.js";
import { PRESET_NAMES } from "../dist/presets/presets.js";
import { WORKLOAD_NAMES } from "../dist/workloads/workloads.js";
import { item, wrapped } from "./markdown.js";

const code = (text) => `\`${text}\``;
const list = (values) => [...new Set(values)].map(code).join(", ");
const line = (cells) => `| ${cells.join(" | ")} |`;
const tableOf = (head, rows) => [head, head.map(() => "---"), ...rows].map(line).join("\n");

const kernels = everyKernel().map(atSmallSize);
const possible = kernels.filter(canRun);

/** The features that may stand in a cell's condition. */
const FEATURES = ["pcid", "pti", "invlpgb"];
const without = (configuration, ...axes) =>
  JSON.stringify({ ...configuration, ...Object.fromEntries(axes.map((axis) => [axis, null])) });

/** In which of the kernels `all`, told apart by all but `axis`, those of `some` are. */
function conditionOf(some, all, axis) {
  const has = new Set(some.map((one) => without(one, axis)));
  const lacks = all.filter((one) => !has.has(without(one, axis)));
  if (some.length === 0) return "";
  if (lacks.length === 0) return "yes";
  for (const feature of FEATURES) {
    const values = new Set(some.map((one) => one[feature]));
    const isIt = values.size === 1 && lacks.every((one) => !values.has(one[feature]));
    if (isIt) return code(`${feature}=${[...values][0]}`);
  }
  return "some";
}

const under = (protocol) => possible.filter((one) => one.protocol === protocol);

function policyCell(protocol, lazyTlb) {
  const those = under(protocol).filter((one) => one.lazyTlb === lazyTlb);
  const cell = conditionOf(those, under(protocol), "lazyTlb");
  return lazyPolicies[lazyTlb].expected === "ok" || cell === "" ? cell : "breaks";
}

function featureCell(protocol, feature) {
  const those = under(protocol).filter((one) => one[feature] === true);
  const others = FEATURES.filter((one) => one !== feature);
  if (those.length === 0) return "";
  const withOther = others.flatMap((other) =>
    [true, false]
      .filter((value) => !those.some((one) => one[other] === value))
      .filter((value) => under(protocol).some((one) => one[other] === value))
      .map((value) => code(`${other}=${!value}`)),
  );
  return withOther.length === 0 ? "yes" : `with ${withOther.join(" and ")}`;
}

/** Those that flush user and kernel ranges first: under most protocols nothing else has to run. */
const SOONEST_FIRST = [...new Set(["munmap", "vmalloc", ...WORKLOAD_NAMES])];

/** The options that are read where needed, and that some workload makes the kernel look at. */
async function lookedAt(protocol) {
  const looked = new Set();
  const seen = new Set();
  for (const kernel of under(protocol)) {
    const key = without(kernel, "cpu", "lazyTlb");
    if (kernel.lazyTlb !== "refcounted" || seen.has(key)) continue;
    seen.add(key);
    const configuration = { ...kernel, flushCeiling: 0, rounds: 1 };
    for (const workload of SOONEST_FIRST) {
      if (QUIET_AXES.every((axis) => looked.has(axis))) break;
      const run = { configuration, workload, seed: 1, checks: false };
      await simulate(run, { onOption: (name) => looked.add(name) });
    }
  }
  return looked;
}

/** One after the other: runs beside each other would need a machine each. */
async function inTurn(items, make) {
  const made = [];
  for (const one of items) made.push(await make(one));
  return made;
}

async function featureRow(protocol) {
  const looked = await lookedAt(protocol);
  const cpus = PRESET_NAMES.filter((cpu) => under(protocol).some((one) => one.cpu === cpu));
  return [
    code(protocol),
    ...FEATURES.map((feature) => featureCell(protocol, feature)),
    ...QUIET_AXES.map((axis) => (looked.has(axis) ? "yes" : "ignored")),
    cpus.length === PRESET_NAMES.length ? "all" : list(cpus),
  ];
}

const GENERAL = {
  protocol: "the protocol",
  lazyTlb: "the policy",
  cpu: "the CPU",
  pages: "so many",
  pageSize: "1 GiB",
  cores: "so many",
};
const KINDS = [
  ["absent", "The machine or the kernel has no such thing:"],
  ["unused", "The rows would be the same without it:"],
  ["breaks", "A run, or some order that the explorer tries, would show a violation:"],
];

/** Values of an axis as --set takes them, by those that are missing where that is shorter. */
function valuesOf(axis, refused) {
  if (axis === "pages") return "too many `pages`";
  if (axis === "cores" && refused.some(({ x2apic }) => x2apic !== "off")) return "many `cores`";
  if (axis === "cores") return "`cores` over 255";
  const values = [...new Set(refused.map((one) => one[axis]))];
  const missing = PROTOCOL_NAMES.filter((name) => !values.includes(name));
  const all = axis === "protocol" && missing.length < 4;
  return all ? `any protocol except ${listed(missing)}` : listed(values, `${axis}=`);
}

/** `axis=a`, `axis=b` or `axis=c`: `name=` once, before the first. */
const listed = (values, name = "") =>
  values
    .map((value, index) => code(`${index === 0 ? name : ""}${value}`))
    .join(", ")
    .replace(/, (?=[^,]*$)/, name === "" ? " and " : " or ");

/** What one rule alone refuses, by that rule. */
const refusedBy = new Map(RULES.map((rule) => [rule, []]));
for (const one of kernels
  .flatMap((kernel) => [kernel, { ...kernel, invpcid: true }, { ...kernel, idle: "c6" }])
  .concat({ ...possible[0], cores: 256, x2apic: "off" })
  .concat({ ...possible[0], pages: 65_536, pageSize: "1G" })
  .concat({ ...possible[0], pages: 1_048_576, cores: 256 })) {
  const combination = combinationOf(one);
  const [rule, other] = RULES.filter(({ refuses }) => refuses(combination));
  if (rule !== undefined && other === undefined) refusedBy.get(rule).push(combination);
}

function ruleItem(rule) {
  const refused = refusedBy.get(rule);
  const why = filled(rule, (axis) => GENERAL[axis]);
  return item(`${valuesOf(rule.axis, refused)} with ${valuesOf(rule.against, refused)}: ${why}.`);
}

const combinations = [
  "## Policies by protocol",
  wrapped(
    "Where a cell names a feature, the policy goes with the protocol only under it. An empty cell " +
      "is a combination that is refused (below). `breaks`: the policy is known to be wrong, and " +
      "runs so that the checkers can show it.",
  ),
  tableOf(
    ["protocol", ...LAZY_POLICY_NAMES.map(code)],
    PROTOCOL_NAMES.map((protocol) => [
      code(protocol),
      ...LAZY_POLICY_NAMES.map((lazyTlb) => policyCell(protocol, lazyTlb)),
    ]),
  ),
  "## Features by protocol",
  wrapped(
    "An empty cell is a combination that is refused. `ignored`: no workload makes the kernel look " +
      "at the option, so rows with different values are equal.",
  ),
  tableOf(
    ["protocol", ...FEATURES.map((axis) => code(`${axis}=true`)), ...QUIET_AXES.map(code), "CPUs"],
    await inTurn(PROTOCOL_NAMES, featureRow),
  ),
  "## What is refused",
  ...KINDS.flatMap(([kind, heading]) => [
    heading,
    RULES.filter((rule) => rule.kind === kind)
      .map(ruleItem)
      .join("\n"),
  ]),
].join("\n\n");

const listOfMutations = MUTATIONS.map(({ name, summary, source, scenario }) => {
  const where = scenario === undefined ? "" : ` Shown by \`${scenario.name}\`.`;
  return item(`**${code(name)}**: ${summary}. Source: ${source}.${where}`);
}).join("\n");

/** Puts `text` between the two comments that are named so. */
async function write(page, name, text) {
  const file = fileURLToPath(new URL(`../docs/protocols/${page}`, import.meta.url));
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const before = readFileSync(file, "utf8");
  const [head, rest] = before.split(begin);
  const [, tail] = rest.split(end);
  const draft = `${head}${begin}\n\n${text}\n\n${end}${tail}`;
  const after = await format(draft, { ...(await resolveConfig(file)), filepath: file });
  if (!process.argv.includes("--check")) writeFileSync(file, after);
  else if (after !== before) {
    process.stderr.write(`docs/protocols/${page} is out of date: npm run docs:protocols\n`);
    process.exitCode = 1;
  }
}

await write("combinations.md", "what goes with what", combinations);
await write("mutations.md", "mutations", listOfMutations);
