// Breaks one rule of the emulated paging at a time and asks the tests: a mutant that they let pass
// survives. Works on copies in the system's folder for temporary files, and on nothing else.
//
//   node scripts/mutate.js [--only NAME] [--file FILE] [--jobs N] [--seed N] [--drawn N]
//
// Mutations are the rules of scripts/mutations/, and `drawn` generic ones chosen by the seed.

import { fork } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import asc from "assemblyscript/asc";
import { drawn } from "./mutations/drawn.js";
import { EQUIVALENT } from "./mutations/equivalent.js";
import { readRules } from "./mutations/read.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COPIED = ["assembly", "src", "test", "data/vectors", "docs", "package.json", "asconfig.json"];
const JUDGE = "scripts/mutate-judge.js";
/** A mutant that loops for ever is stopped, which the tests would have noticed. */
const LIMIT_MS = 300_000;

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    file: { type: "string" },
    jobs: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    drawn: { type: "string", default: "60" },
  },
});

const source = (file) => readFileSync(join(ROOT, "assembly", file), "utf8");
const lineOf = (file, at) => `${file}:${source(file).slice(0, at).split("\n").length}`;

/** The rules as mutants; a text that is not there exactly once is a defect of the list. */
function rulesAsMutants() {
  return readRules().map(({ file, from, to, name }) => {
    const text = source(file);
    const at = text.indexOf(from);
    const once = at >= 0 && text.indexOf(from, at + 1) < 0;
    if (!once) throw new Error(`${name}: "${from}" is not exactly once in assembly/${file}`);
    return { file, name, at, text: text.slice(0, at) + to + text.slice(at + from.length) };
  });
}

function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "mutate-"));
  for (const path of [...COPIED, JUDGE]) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Builds without optimising; false if it cannot be built. */
async function build(folder, { file, text }) {
  const path = join(folder, "assembly", file);
  const kept = readFileSync(path, "utf8");
  writeFileSync(path, text);
  const out = ["--target", "release", "--outFile", "dist/machine.wasm"];
  const silent = { stdout: asc.createMemoryStream(), stderr: asc.createMemoryStream() };
  const { error } = await asc.main(["assembly/index.ts", ...out, "--baseDir", folder], silent);
  writeFileSync(path, kept);
  return error === null;
}

/** A process that judges the mutants built in a folder. */
class Judge {
  constructor(folder) {
    this.folder = folder;
  }

  /** The test that fails, null when none does. */
  async ask(mutated) {
    if (this.child === undefined) await this.start();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), LIMIT_MS);
    this.child.send(mutated);
    const answer = await this.answer();
    clearTimeout(timer);
    if (answer !== undefined) return answer.failed;
    this.child = undefined;
    return "no answer in time";
  }

  async start() {
    this.child = fork(JUDGE, { cwd: this.folder, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    await this.answer();
  }

  /** The next message; undefined when the process ends. */
  answer() {
    const { child } = this;
    return new Promise((resolve) => {
      const settle = (message) => {
        child.off("message", settle);
        child.off("exit", ended);
        resolve(message);
      };
      const ended = () => settle(undefined);
      child.on("message", settle);
      child.on("exit", ended);
    });
  }

  stop() {
    this.child?.kill("SIGKILL");
  }
}

async function work(judge, mutants, outcomes) {
  for (let mutant = mutants.shift(); mutant !== undefined; mutant = mutants.shift()) {
    const { file, name, at } = mutant;
    const built = await build(judge.folder, mutant);
    const failed = built ? await judge.ask(file) : null;
    const outcome = !built ? "does not build" : failed === null ? "SURVIVES" : "killed";
    outcomes.push({ ...mutant, outcome });
    const by = outcome === "killed" ? `: ${failed}` : "";
    console.log(`${outcome} ${lineOf(file, at)} ${name}${by}`);
  }
}

async function main() {
  const mutants = [...rulesAsMutants(), ...drawn(source, options)]
    .filter(({ name }) => options.only === undefined || name.includes(options.only))
    .filter(({ file }) => options.file === undefined || file === options.file)
    .filter(({ name }) => !Object.hasOwn(EQUIVALENT, name));
  const judges = Array.from({ length: Number(options.jobs) }, () => new Judge(makeFolder()));
  const outcomes = [];
  try {
    const same = { file: "pte.ts", text: source("pte.ts") };
    const failed = (await build(judges[0].folder, same))
      ? await judges[0].ask(same.file)
      : "the build";
    if (failed !== null) throw new Error(`before anything is broken, this fails: ${failed}`);
    await Promise.all(judges.map((judge) => work(judge, mutants, outcomes)));
  } finally {
    for (const judge of judges) {
      judge.stop();
      rmSync(judge.folder, { recursive: true, force: true });
    }
  }
  report(outcomes);
}

function report(outcomes) {
  const having = (wanted) => outcomes.filter(({ outcome }) => outcome === wanted);
  const survivors = having("SURVIVES");
  const excused = Object.keys(EQUIVALENT).length;
  console.log(
    `${outcomes.length} mutants, ${having("killed").length} killed, ` +
      `${having("does not build").length} do not build, ${survivors.length} survive; ` +
      `${excused} more cannot be observed, see scripts/mutations/equivalent.js`,
  );
  for (const { file, at, name } of survivors) console.log(`${lineOf(file, at)} ${name}`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
}

await main();
