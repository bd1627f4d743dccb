// Counterexamples from files: what `explore --json` wrote. Whatever else is in a file is bad input.

import { closeSync, openSync, readSync } from "node:fs";
import { BadInput } from "../base/bad-input.ts";
import type { ScheduledStep } from "./counterexample.ts";
import { PROCESS_KINDS } from "./execution/processes.ts";
import { MAX_CPUS } from "./scenarios/scenario-file.ts";

/** The names of a job, and what it violates. */
export interface Recorded extends Record<(typeof NAMES)[number], string> {
  readonly file?: string;
  readonly files?: readonly string[];
  readonly violation: {
    readonly invariant: string;
    readonly schedule: readonly ScheduledStep[];
    readonly shared?: readonly string[];
  };
}

const NAMES = ["name", "policy", "protocol", "mutation", "memory"] as const;

const DOCUMENT = "a document of `shootdown explore --json`";

/** All of this package's scenarios and mutations take less than a tenth of it. */
const MOST_BYTES = 64 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/** The first counterexample in a file. Bad input where there is none. */
export function readCounterexample(path: string): Recorded {
  const document = read(path);
  const scenarios = isObject(document) ? document["scenarios"] : undefined;
  if (!isList(scenarios, isObject)) throw new BadInput(path, document, DOCUMENT);
  const violationsOf = ({ violations }: Fields): readonly unknown[] =>
    Array.isArray(violations) ? violations : [];
  const found = scenarios.find((one) => violationsOf(one).length > 0);
  if (found === undefined) throw new BadInput(path, "no violation", "nothing to replay in it");
  const { file, files } = found;
  for (const name of NAMES) check(isText(found[name]), `${path}: ${name}`, found[name], "a name");
  check(file === undefined || isText(file), `${path}: file`, file, "the path of a file");
  check(files === undefined || isList(files, isText), `${path}: files`, files, "a list of paths");
  const violation = violationsOf(found)[0];
  checkViolation(violation, path);
  return { ...(found as unknown as Recorded), violation: violation as Recorded["violation"] };
}

function checkViolation(violation: unknown, path: string): void {
  if (!isObject(violation)) throw new BadInput(path, violation, DOCUMENT);
  const { invariant, schedule, shared } = violation;
  check(isText(invariant), `${path}: invariant`, invariant, "a name");
  const isShared = shared === undefined || isList(shared, isText);
  check(isShared, `${path}: shared`, shared, "a list of names");
  const isSchedule = Array.isArray(schedule) && schedule.length > 0;
  check(isSchedule, `${path}: schedule`, schedule, "a list of steps");
  for (const [index, step] of (schedule as readonly unknown[]).entries()) {
    const remedy = `cpu, and does: one of ${PROCESS_KINDS.join(", ")}`;
    check(isStep(step), `${path}: step ${index + 1}`, step, remedy);
  }
}

function isStep(step: unknown): boolean {
  if (!isObject(step)) return false;
  const { cpu, does, choices = [] } = step;
  const isKind = (PROCESS_KINDS as readonly unknown[]).includes(does);
  return isIndex(cpu) && cpu < MAX_CPUS && isKind && isList(choices, isIndex);
}

function check(isRight: boolean, path: string, value: unknown, remedy: string): void {
  if (!isRight) throw new BadInput(path, value, remedy);
}

function read(path: string): unknown {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new BadInput("--replay", path, `${code}; give a file that can be read`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new BadInput("--replay", path, `not JSON; ${DOCUMENT}`);
  }
}

/** Not all files end. */
function readText(path: string): string {
  const file = openSync(path, "r");
  try {
    const parts: Buffer[] = [];
    for (let size = 0; size <= MOST_BYTES;) {
      const part = Buffer.alloc(1 << 20);
      const count = readSync(file, part);
      if (count === 0) return Buffer.concat(parts).toString("utf8");
      parts.push(part.subarray(0, count));
      size += count;
    }
  } finally {
    closeSync(file);
  }
  throw new BadInput("--replay", path, `more than ${MOST_BYTES} bytes; ${DOCUMENT}`);
}

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const isIndex = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;

const isList = <T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] =>
  Array.isArray(value) && value.every(isOne);
