// Where results go: to standard output, and to a file first of all.

import process from "node:process";
import { printable } from "../base/printable.ts";
import type { ExperimentResult } from "../experiment/result.ts";
import { isAsExpected } from "../experiment/row.ts";
import { answers } from "../report/answers.ts";
import { formatCsv } from "../report/csv.ts";
import { colours, plain, type Paint } from "../report/paint.ts";
import { formatTable } from "../report/table.ts";
import { formatViolations } from "../report/violations.ts";
import { failCheck } from "./failure.ts";
import { type ResultFile, resultFile } from "./result-file.ts";

const NARROWEST = 140;

export interface OutputOptions {
  readonly json?: true;
  readonly csv?: true;
  readonly out?: ResultFile;
}

/** What a file of rows can end in. */
const ROW_FILES = [".json", ".csv", ".txt"];

/** Refuses a file that could not be written, before anything is run. */
export const rowFile = (path: string): ResultFile => resultFile("--out", path, ROW_FILES);

/** Prints and saves a result as the options say; an unexpected verdict fails the check. */
export function deliver(result: ExperimentResult, { out, ...options }: OutputOptions): void {
  if (!result.rows.every(isAsExpected)) failCheck();
  const isStdout = out?.isStdout === true;
  const document = options.json === true || options.csv === true;
  if (options.csv) print(formatCsv(result.rows));
  else if (options.json || isStdout) print(toJson(result));
  else print(formatText(result, paintFor(process.stdout), process.stdout.columns));
  if (out !== undefined && !isStdout)
    save(out, formatFor(out.path, result), { isPrinted: document });
}

/** What a file does not take is printed, unless all of it was: nothing measured is lost. */
export function save(
  file: ResultFile,
  text: string,
  { isPrinted }: { readonly isPrinted: boolean },
): void {
  try {
    file.write(text);
  } catch (error) {
    if (!isPrinted) print(text);
    throw error;
  }
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
  process.stderr.write(`shootdown: ${printable(text)}\n`);
}

export function paintFor(stream: NodeJS.WriteStream): Paint {
  return stream.isTTY && process.env["NO_COLOR"] === undefined ? colours : plain;
}

function formatFor(path: string, result: ExperimentResult): string {
  if (path.endsWith(".csv")) return formatCsv(result.rows);
  return path.endsWith(".txt") ? formatText(result, plain) : toJson(result);
}
