// Where results go: stdout, and files that are there whole or not at all.

import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { BadInput } from "../base/bad-input.ts";
import type { ExperimentResult } from "../experiment/result.ts";
import { isAsExpected } from "../experiment/row.ts";
import { answers } from "../report/answers.ts";
import { formatCsv } from "../report/csv.ts";
import { colours, plain, type Paint } from "../report/paint.ts";
import { formatTable } from "../report/table.ts";
import { formatViolations } from "../report/violations.ts";
import { failCheck } from "./failure.ts";

const NARROWEST = 140;

export interface OutputOptions {
  readonly json?: true;
  readonly csv?: true;
  readonly out?: string;
}

/** Prints and saves a result as the options say; an unexpected verdict fails the check. */
export function deliver(result: ExperimentResult, options: OutputOptions): void {
  if (!result.rows.every(isAsExpected)) failCheck();
  if (options.out !== undefined) writeWhole(options.out, formatFor(options.out, result));
  if (options.json) print(toJson(result));
  else if (options.csv) print(formatCsv(result.rows));
  else print(formatText(result, paintFor(process.stdout), process.stdout.columns));
}

/** Table, violations and the lines that answer. */
function formatText(result: ExperimentResult, paint: Paint, width = NARROWEST): string {
  const table = formatTable(result.rows, { paint, width: Math.max(width, NARROWEST) });
  const violations = formatViolations(result.rows, paint);
  const closing = answers(result.rows).map((line) => `${line}\n`);
  return [table, violations, closing.join("")].filter((part) => part !== "").join("\n");
}

export function toJson(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

export function print(text: string): void {
  process.stdout.write(text);
}

export function note(text: string): void {
  process.stderr.write(`shootdown: ${text}\n`);
}

/** Refuses a file that could not be written, before anything is run. */
export function checkOutputFile(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new BadInput("--out", path, "a directory; give the name of a file");
  }
  if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) {
    throw new BadInput("--out", path, `make the directory ${dirname(path)} first`);
  }
  return path;
}

export function paintFor(stream: NodeJS.WriteStream): Paint {
  return stream.isTTY && process.env["NO_COLOR"] === undefined ? colours : plain;
}

function formatFor(path: string, result: ExperimentResult): string {
  if (path.endsWith(".csv")) return formatCsv(result.rows);
  return path.endsWith(".txt") ? formatText(result, plain) : toJson(result);
}

/** Writes next to the file and renames, so that no reader sees half of it. */
function writeWhole(path: string, text: string): void {
  const beside = `${path}.${process.pid}.part`;
  try {
    writeFileSync(beside, text);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw new BadInput("--out", path, `${code}; give a file that can be written`);
  }
}
