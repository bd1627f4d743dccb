// A file of code from outside: TypeScript or JavaScript that imports what it needs from
// "shootdown", "shootdown/kernel" and "shootdown/explore", which are the very package that runs
// here.

import { type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { createJiti, type TransformOptions } from "jiti";
import { BadInput, closestName } from "../base/bad-input.ts";
import { fileProblem } from "../base/file-problem.ts";
import { loadApart, loadShared, type Modules } from "./module-cache.ts";

/** Whether a word is meant as such a file, not as a name. */
export const isCodeFile = (word: string): boolean =>
  /[\\/]/.test(word) || /\.[cm]?[jt]s$/.test(word) || isDataFile(word);

/** Whether it is a file of data: a CPU. */
export const isDataFile = (word: string): boolean => /\.(ya?ml|json)$/.test(word);

const FACES = ["shootdown", "shootdown/kernel", "shootdown/explore"];

type Exports = Readonly<Record<string, unknown>>;

/** Files of code as they were loaded: two loads of one give the same objects. */
export class CodeFiles {
  private readonly loaded = new Map<string, Promise<Exports>>();
  /** Null: what everybody has. */
  private readonly modules: Modules | null;

  /** @param modules - "afresh": all that was loaded before is run once more, state and all */
  constructor(modules: "shared" | "afresh") {
    this.modules = modules === "shared" ? null : new Map();
  }

  /** What the file exports, by name, in the order of the names. Bad input where it has no code. */
  exportsOf(path: string): Promise<Exports> {
    const key = resolve(path);
    let exported = this.loaded.get(key);
    if (exported === undefined) this.loaded.set(key, (exported = this.evaluate(path)));
    return exported;
  }

  private evaluate(path: string): Promise<Exports> {
    const load = (): Promise<Exports> => evaluate(path);
    return this.modules === null ? loadShared(load) : loadApart(this.modules, load);
  }
}

/** Those of this thread, for as long as it lives. */
export const CODE_FILES = new CodeFiles("shared");

/** Translates; what has been translated is not again. */
const translator = createJiti(import.meta.url, { fsCache: false });
const translated = new Map<string, string>();

function transform(options: TransformOptions): { readonly code: string } {
  const key = `${options.filename}\0${options.source}`;
  let code = translated.get(key);
  if (code === undefined) translated.set(key, (code = translator.transform(options)));
  return { code };
}

/**
 * Runs the file. The package is resolved under its own name, which is a layer above this file, and
 * not to a copy that may be installed beside the code: its constants are told apart by identity.
 */
async function evaluate(path: string): Promise<Exports> {
  checkPlainFile(path);
  const faces = await Promise.all(
    FACES.map(async (name): Promise<[string, unknown]> => {
      const face = (await import(import.meta.resolve(name))) as object;
      return [name, refusingUnknown(name, face)];
    }),
  );
  const virtualModules = Object.fromEntries(faces);
  const jiti = createJiti(import.meta.url, { fsCache: false, virtualModules, transform });
  try {
    return await jiti.import<Exports>(resolve(path));
  } catch (error) {
    throw new BadInput("code", path, `cannot be loaded: ${inOneLine(error)}`);
  }
}

function checkPlainFile(path: string): void {
  let there: Stats | undefined;
  try {
    there = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileProblem(path, error, { name: "a file of code", repair: "copy the file again" });
  }
  if (there === undefined) throw new BadInput("code", path, "no such file; give one that is");
  if (!there.isFile()) throw new BadInput("code", path, "no plain file; give one of code");
}

/** What a loader asks every module for. */
const ASKED_OF_MODULES: ReadonlySet<string> = new Set(["default", "__esModule", "then"]);

const isAskedOfModules = (name: string | symbol): boolean =>
  typeof name === "symbol" || ASKED_OF_MODULES.has(name);

/** The exports are too many to list them all. */
function nearest(name: string, names: readonly string[]): string {
  const close = closestName(name, names);
  return close === undefined ? "see docs/bring-your-own.md" : `did you mean ${close}?`;
}

/** The module, and an error in place of `undefined` for a name that it does not export. */
const refusingUnknown = (module: string, face: object): object =>
  new Proxy(face, {
    // The loader asks before it gets, and would take "no" for an answer.
    has: (target, name) => name in target || !isAskedOfModules(name),
    get(target, name, receiver) {
      if (name in target || isAskedOfModules(name)) {
        return Reflect.get(target, name, receiver) as unknown;
      }
      const names = Object.keys(target);
      throw new Error(`${module} exports no ${name as string}: ${nearest(name as string, names)}`);
    },
  });

/** What went wrong in code from outside, in one line. */
function inOneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("Require stack:")[0]!.replaceAll(/\s+/g, " ").trim();
}

/** An error of a run in which code from `files` took part is, as far as can be told, theirs. */
export function blamedOn(files: readonly string[], what: string, error: unknown): unknown {
  if (files.length === 0 || error instanceof BadInput) return error;
  const why = `its code fails: ${inOneLine(error)}${placeIn(files, error)}`;
  return new BadInput(files.join(", "), what, why);
}

/** Which line of the files the error is from; nothing where it cannot be told. */
function placeIn(files: readonly string[], error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const [, place, line] of stack.matchAll(/\(?([^\s(]+):(\d+):\d+\)?$/gm)) {
    const file = files.find((each) => resolve(each) === place!.replace(/^file:\/\//, ""));
    if (file !== undefined) return ` (${file}:${line})`;
  }
  return "";
}
