#!/usr/bin/env node
// The command line as a process.

import process from "node:process";
import { runCommandLine } from "./command-line.ts";

// A reader that went away (`shootdown run | head -1`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

await runCommandLine(process.argv.slice(2));
