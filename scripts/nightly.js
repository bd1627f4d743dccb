// Long tests for a given time: random programs, lots of the whole matrix, explorations and drawn
// mutants take turns. All of it follows from the seed in the first line of the log.
//
//   npm run nightly -- --hours H [--seed S] [--only KIND,...] [--plan N]
//
// Without --seed it is the number of the day, so that each night draws something else. No step
// begins when the time is over; the one that runs is let finish. A step that fails is told at once,
// with the command that repeats it, and the others go on; the exit code is 1 then. --plan prints
// the first N commands and runs none.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { KINDS, stepsOf } from "./nightly/steps.js";
import { verdictOf } from "./nightly/verdict.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DAY_MS = 86_400_000;
const LINES_OF_A_FAILURE = 40;
const MOST_SEED = 1_000_000;

class BadOption extends Error {}

function numberOf(name, text, { least, most }) {
  const value = Number(text);
  if (text !== "" && value >= least && value <= most) return value;
  throw new BadOption(`--${name}: "${text}": a number of ${least} to ${most}`);
}

function readOptions() {
  const option = { type: "string" };
  const options = { hours: option, seed: option, only: option, plan: option };
  const { values } = parseArgs({ options });
  const { hours, seed = String(Math.floor(Date.now() / DAY_MS)), only, plan } = values;
  if (hours === undefined) throw new BadOption("--hours is missing: how long it may take");
  const kinds = only?.split(",") ?? Object.keys(KINDS);
  const unknown = kinds.find((kind) => !Object.hasOwn(KINDS, kind));
  if (unknown !== undefined) {
    throw new BadOption(`--only: "${unknown}": some of ${Object.keys(KINDS).join(", ")}`);
  }
  return {
    hours: numberOf("hours", hours, { least: 0, most: 1000 }),
    seed: Math.floor(numberOf("seed", seed, { least: 0, most: MOST_SEED })),
    kinds,
    planned: plan === undefined ? 0 : numberOf("plan", plan, { least: 1, most: 10_000 }),
  };
}

/** Runs a command of the project, and says how it ended and what it wrote. */
function carryOut(words) {
  const child = spawn(process.execPath, words, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let all = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text) && (all += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (all += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 2, stdout, all }));
  });
}

const quoted = (word) => (/^[\w./=,-]+$/.test(word) ? word : `"${word}"`);
const commandOf = ({ words }) => ["node", ...words.map(quoted)].join(" ");

async function printPlan({ seed, kinds, hours, planned }) {
  let left = planned;
  for await (const step of stepsOf(seed, kinds, () => hours * 3600)) {
    if (left-- === 0) return;
    console.log(commandOf(step));
  }
}

async function runNight({ hours, seed, kinds }) {
  const end = performance.now() + hours * 3_600_000;
  const secondsLeft = () => Math.max(0, (end - performance.now()) / 1000);
  const count = { passed: 0, failed: 0, cut: 0 };
  console.log(`seed ${seed}, ${hours} hours: ${kinds.join(", ")}`);
  for await (const step of stepsOf(seed, kinds, secondsLeft)) {
    const begin = performance.now();
    const ended = await carryOut(step.words);
    const verdict = verdictOf(step, ended);
    count[verdict]++;
    const seconds = Math.round((performance.now() - begin) / 1000);
    console.log(`${verdict} after ${seconds} s: ${commandOf(step)}`);
    if (verdict === "failed") {
      console.log(ended.all.trimEnd().split("\n").slice(-LINES_OF_A_FAILURE).join("\n"));
      console.log(`again: npm run build && ${commandOf(step)}`);
    }
    if (secondsLeft() === 0) break;
  }
  console.log(`seed ${seed}: ${count.passed} passed, ${count.failed} failed, ${count.cut} cut`);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

try {
  const options = readOptions();
  await (options.planned > 0 ? printPlan(options) : runNight(options));
} catch (error) {
  if (!(error instanceof BadOption) && !error.code?.startsWith("ERR_PARSE_ARGS")) throw error;
  console.error(`nightly: ${error.message}`);
  process.exitCode = 2;
}
