#!/usr/bin/env node
// The command line. A command says with its exit code whether what it was asked holds.

import process from "node:process";
import { fail } from "./failure.ts";
import { program } from "./command-line.ts";

// A reader that went away (`shootdown run | head -1`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await (await program(process.argv.slice(2))).parseAsync();
} catch (error) {
  fail(error);
}
