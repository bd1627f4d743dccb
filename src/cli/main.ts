#!/usr/bin/env node
// The command line as a process.

import { Console } from "node:console";
import process from "node:process";
import { BadInput } from "../base/bad-input.ts";
import { runCommandLine } from "./command-line.ts";
import { fail } from "./failure.ts";

process.stdout.on("error", ({ code = "EIO" }: NodeJS.ErrnoException) => {
  // A reader that went away (`shootdown run | head -1`) is no error.
  if (code === "EPIPE") process.exit();
  fail(new BadInput("stdout", code, "give it room, or a file with --out"));
  process.exit();
});
// Nobody can be told; the exit code says it.
process.stderr.on("error", () => {});

// Code from files may print; stdout is for results.
globalThis.console = new Console(process.stderr);

await runCommandLine(process.argv.slice(2));
