// Explores every mutation where it shows, and the correct kernel in the same place, and every kernel
// that is known to break without one, and writes what came out into docs/explore.md. Needs a build.
//
//   npm run docs:explore

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { BUILT_IN, entryIn } from "../dist/catalogue/catalogue.js";
import { mutationJobs } from "../dist/explore/explore-job.js";
import { expectedOf } from "../dist/explore/scenario-result.js";
import { exploreAll } from "../dist/explore/explore.js";
import { fits } from "../dist/explore/scenarios/scenario.js";
import { SCENARIOS } from "../dist/explore/scenarios/scenarios.js";
import { LAZY_POLICY_NAMES } from "../dist/kernel/lazy/policies.js";
import { PROTOCOL_NAMES, protocols } from "../dist/kernel/shootdown/protocols.js";
import { item } from "./markdown.js";

const FILE = new URL("../docs/explore.md", import.meta.url);
const workers = Math.min(2, availableParallelism());
const showing = mutationJobs();
const jobsWith = (change) => showing.map((job) => ({ ...job, ...change }));
const wrong = await exploreAll(showing, { workers });
const underSc = await exploreAll(jobsWith({ memory: "sc" }), { workers });
const right = await exploreAll(jobsWith({ mutation: "none" }), { workers });

const rows = showing.map(({ mutation, name, protocol, policy, memory }, index) => {
  const [violation] = wrong.scenarios[index].violations;
  const { foundAfter } = wrong.scenarios[index];
  const correct = right.scenarios[index];
  const found = violation === undefined ? "**nothing**" : violation.invariant;
  const sc = underSc.scenarios[index].violations[0]?.invariant ?? "nothing";
  const clean = correct.violations.length === 0 && correct.complete;
  return [
    `\`${mutation}\``,
    entryIn(BUILT_IN, "mutations", mutation).source,
    `\`${name}\``,
    `${protocol}, ${policy}`,
    `${found} after ${foundAfter}`,
    violation?.schedule.length ?? "",
    memory === "sc" ? sc : `${sc} (needs a store buffer)`,
    clean ? `${correct.executions}, complete` : "**not clean**",
  ];
});
const head = [
  "mutation",
  "source",
  "scenario",
  "kernel",
  "found, after executions",
  "steps",
  "under sc",
  "correct kernel: executions",
];

const jobs = SCENARIOS.flatMap((scenario) =>
  PROTOCOL_NAMES.filter((protocol) => fits(scenario, protocols[protocol])).flatMap((protocol) =>
    LAZY_POLICY_NAMES.map((policy) => {
      return { name: scenario.name, policy, protocol, mutation: "none", memory: "tso" };
    }).filter((job) => expectedOf(job, { scenario, catalogue: BUILT_IN }) === "violation"),
  ),
);
const broken = (await exploreAll(jobs, { workers })).scenarios;
const unseen = broken.filter(({ violations }) => violations.length === 0);
for (const { name, policy, protocol } of unseen)
  console.log(`nothing: ${name} ${policy} ${protocol}`);

const quoted = (names) => names.map((name) => `\`${name}\``).join(", ");
/** Names of a list, by those that are missing where that is shorter. */
function among(all, names, what) {
  const missing = all.filter((name) => !names.includes(name));
  if (missing.length === 0) return `all ${what}`;
  return missing.length < 4 ? `all ${what} except ${quoted(missing)}` : quoted(names);
}
/** By reason, then by what is said of a scenario: the scenarios of which it is. */
const breaksOf = new Map();
for (const { name } of SCENARIOS) {
  const here = broken.filter((result) => result.name === name);
  for (const reason of new Set(here.map((result) => result.reason))) {
    const results = here.filter((result) => result.reason === reason);
    const values = (read) => [...new Set(results.map(read))];
    const policies = among(
      LAZY_POLICY_NAMES,
      values(({ policy }) => policy),
      "policies",
    );
    const under = among(
      PROTOCOL_NAMES,
      values(({ protocol }) => protocol),
      "protocols",
    );
    const found = values(({ violations }) => violations[0]?.invariant ?? "**nothing**").sort();
    const said = `${policies} under ${under}: ${found.join(", ")}`;
    const scenariosOf = breaksOf.get(reason) ?? new Map();
    breaksOf.set(reason, scenariosOf.set(said, [...(scenariosOf.get(said) ?? []), name]));
  }
}
const breaks = [...breaksOf]
  .sort(([one], [other]) => (one < other ? -1 : 1))
  .flatMap(([reason, scenariosOf]) => [
    item(`**${reason}:**`),
    ...[...scenariosOf]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([said, names]) => item(`${said} in ${quoted(names)}.`, "  ")),
  ]);

const line = (cells) => `| ${cells.join(" | ")} |`;
const tableOf = (heads, lines) =>
  [line(heads), line(heads.map(() => "---")), ...lines.map(line)].join("\n");

/** Puts `text` between the two comments that are named so. */
function write(name, text) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of the ${name} -->`];
  const [before, rest] = readFileSync(FILE, "utf8").split(begin);
  const [, after] = rest.split(end);
  writeFileSync(FILE, `${before}${begin}\n\n${text}\n\n${end}${after}`);
  console.log(text);
}

write("table of mutations", tableOf(head, rows));
write("list of breaks", breaks.join("\n"));
