// Runs the built command line as a user does, and waits for it.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The smallest runs: seconds would add up. */
export const TINY = ["--set", "cores=2", "--set", "rounds=2"];

export const shootdown = (...words: readonly string[]): Promise<Ended> =>
  shootdownFed("", ...words);

/** As `shootdown`, with something on its stdin. */
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

/** As `shootdown`, but whoever reads its stdout goes away at once. */
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

/** As `shootdown`, ended by a signal as soon as its stderr says what `when` looks for. */
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
