// Explores every known mistake where it shows, and the correct kernel in the same place, and writes
// what came out into the table of docs/explore.md. Needs a build.
//
//   npm run docs:explore

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { mutations } from "../dist/kernel/mutation.js";
import { exploreAll } from "../dist/explore/run.js";
import { SHOWCASES } from "../dist/explore/showcases.js";

const FILE = new URL("../docs/explore.md", import.meta.url);
const BEGIN = "<!-- table of mistakes -->";
const END = "<!-- end of the table -->";

const workers = Math.min(2, availableParallelism());
const jobsWith = (change) => SHOWCASES.map((showcase) => ({ ...showcase, ...change }));
const wrong = await exploreAll(SHOWCASES, { workers });
const underSc = await exploreAll(jobsWith({ memory: "sc" }), { workers });
const right = await exploreAll(jobsWith({ mutation: "none" }), { workers });

const rows = SHOWCASES.map(({ mutation, name, protocol, policy, memory }, index) => {
  const [violation] = wrong.scenarios[index].violations;
  const { foundAfter } = wrong.scenarios[index];
  const correct = right.scenarios[index];
  const found = violation === undefined ? "**nothing**" : violation.invariant;
  const sc = underSc.scenarios[index].violations[0]?.invariant ?? "nothing";
  const clean = correct.violations.length === 0 && correct.complete;
  return [
    `\`${mutation}\``,
    mutations[mutation].source,
    `\`${name}\``,
    `${protocol}, ${policy}`,
    `${found} after ${foundAfter}`,
    violation?.schedule.length ?? "",
    memory === "sc" ? sc : `${sc} (needs a store buffer)`,
    clean ? `${correct.executions}, complete` : "**not clean**",
  ];
});
const head = [
  "mistake",
  "source",
  "scenario",
  "kernel",
  "found, after executions",
  "steps",
  "under sc",
  "correct kernel: executions",
];
const line = (cells) => `| ${cells.join(" | ")} |`;
const table = [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");

const text = readFileSync(FILE, "utf8");
const [before, rest] = text.split(BEGIN);
const [, after] = rest.split(END);
writeFileSync(FILE, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
console.log(table);
