// The built command line: in this process, or as a user does, in one of its own.

import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type * as commandLine from "../../src/cli/command-line.ts";

const BUILT = new URL("../../dist/cli/", import.meta.url);
const MAIN = fileURLToPath(new URL("main.js", BUILT));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The smallest runs: seconds would add up. */
export const TINY = ["--set", "cores=2", "--set", "rounds=2"];

/** What a command prints, and its exit code; it runs here, because a start takes longer. */
export const shootdown = (...words: readonly string[]): Promise<Ended> =>
  shootdownFrom(BUILT, process.cwd(), words);

let last: Promise<unknown> = Promise.resolve();

/** As `shootdown`, of the command line that is built in `cli/`, in a folder. One at a time. */
export function shootdownFrom(cli: URL, folder: string, words: readonly string[]): Promise<Ended> {
  const ended = last.then(() => runHere(cli, folder, words));
  last = ended.catch(() => {});
  return ended;
}

async function runHere(cli: URL, folder: string, words: readonly string[]): Promise<Ended> {
  const module = (await import(new URL("command-line.js", cli).href)) as typeof commandLine;
  const before = process.cwd();
  const stdout = collected(process.stdout);
  const stderr = collected(process.stderr);
  process.exitCode = 0;
  process.chdir(folder);
  try {
    await module.runCommandLine(words);
    return { code: Number(process.exitCode), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.chdir(before);
    stdout.end();
    stderr.end();
    process.exitCode = undefined;
  }
}

/** Keeps what is written to a stream, until the end. */
function collected(stream: NodeJS.WriteStream) {
  const { write } = stream;
  let text = "";
  stream.write = (part: string | Uint8Array): boolean => {
    text += String(part);
    return true;
  };
  return { text: () => text, end: () => void (stream.write = write) };
}

/** As `shootdown`, in a process of its own. */
export const shootdownAlone = (...words: readonly string[]): Promise<Ended> =>
  shootdownFed("", ...words);

/** As `shootdownAlone`, with something on its stdin. */
export function shootdownFed(stdin: string | Buffer, ...words: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["pipe", "pipe", "pipe"] });
  // What it does not read is its own affair.
  child.stdin.on("error", () => {}).end(stdin);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** As `shootdownAlone`, with a file or a folder as its stdin. */
export function shootdownReading(path: string, ...words: readonly string[]): Ended {
  const file = openSync(path, "r");
  const child = spawnSync(process.execPath, [MAIN, ...words], { stdio: [file, "pipe", "pipe"] });
  closeSync(file);
  return { code: child.status, stdout: String(child.stdout), stderr: String(child.stderr) };
}

/** As `shootdownAlone`, but whoever reads its stdout goes away at once. */
export function shootdownUnread(...words: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stdout.destroy();
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: "", stderr }));
  });
}

/** As `shootdownAlone`, ended by a signal as soon as its stderr says what `when` looks for. */
export function shootdownStopped(
  signal: NodeJS.Signals,
  when: RegExp,
  ...words: readonly string[]
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let isSent = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (!isSent && when.test(stderr)) isSent = child.kill(signal);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
