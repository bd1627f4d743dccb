// The oracle as a process: built from its C sources, fed with cases, its answers taken in order.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { BadInput } from "../../base/bad-input.ts";
import { formatCase } from "./format.ts";
import type { OracleName } from "./oracles.ts";
import type { VectorCase } from "../vectors/vector.ts";

const SOURCES = fileURLToPath(new URL("../../../oracle", import.meta.url));
const BUILT = fileURLToPath(new URL("../../../dist/oracle", import.meta.url));
const COMPILER_FLAGS = ["-O2", "-Wall", "-Wextra"];

/** Says in one line what the host lacks, if it does. */
export function checkMeans(name: OracleName): void {
  if (process.platform !== "linux") {
    throw new BadInput("oracle", process.platform, "needs Linux on x86-64");
  }
  if (name === "kvm") checkKvm();
  else checkQemu();
  if (!existsSync(SOURCES)) throw new BadInput(SOURCES, "missing", "run in a clone of the sources");
  if (!runs(compiler())) {
    throw new BadInput(compiler(), "not found", "install a C compiler, or name one in CC");
  }
}

function checkKvm(): void {
  const device = "/dev/kvm";
  if (!existsSync(device)) {
    const remedy = "needs a host with KVM (load kvm_intel or kvm_amd); or use verify:qemu";
    throw new BadInput(device, "missing", remedy);
  }
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
  } catch {
    throw new BadInput(device, "not accessible", "join the group kvm, or use verify:qemu");
  }
}

function checkQemu(): void {
  const qemu = "qemu-system-x86_64";
  if (!runs(qemu)) {
    throw new BadInput(qemu, "not found", "install it (Debian: qemu-system-x86) and try again");
  }
}

const compiler = (): string => process.env["CC"] ?? "cc";

const runs = (command: string): boolean =>
  spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;

/** Compiles the oracle, and returns where it is. */
export function buildOracle(): string {
  mkdirSync(BUILT, { recursive: true });
  const program = join(BUILT, "oracle");
  const sources = readdirSync(SOURCES)
    .filter((file) => file.endsWith(".c"))
    .map((file) => join(SOURCES, file));
  const build = spawnSync(compiler(), [...COMPILER_FLAGS, "-o", program, ...sources], {
    encoding: "utf8",
  });
  if (build.status !== 0) throw new Error(`the oracle does not compile:\n${build.stderr}`);
  return program;
}

export interface Asked {
  readonly the: VectorCase;
  /** The oracle's answer, one line of JSON. */
  readonly line: string;
}

export async function* askOracle(
  program: string,
  name: OracleName,
  cases: readonly VectorCase[],
): AsyncGenerator<Asked> {
  const child = spawn(program, [name], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  // The oracle's end shows in its answers; writing to it afterwards is not the error to tell.
  const fed = pipeline(Readable.from(linesOf(cases)), child.stdin).catch(() => undefined);
  try {
    let index = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      yield { the: cases[index++]!, line };
    }
    await fed;
    await ended;
    if (index !== cases.length) throw new Error(howItEnded(child, index, cases.length));
  } finally {
    child.kill();
  }
}

function* linesOf(cases: readonly VectorCase[]): Generator<string> {
  for (const one of cases) yield `${formatCase(one)}\n`;
}

const howItEnded = (child: ChildProcess, answered: number, asked: number): string =>
  `the oracle ended (${child.signalCode ?? child.exitCode}) after ${answered} of ${asked} cases`;
