// An experiment by its name or from a file. JSON is read as the YAML that it is.

import { readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { BadInput, remedyForName } from "../base/bad-input.ts";
import { SAMPLE_TRACES } from "../trace/samples.ts";
import { BUILT_IN_NAMES, builtIn } from "./builtin.ts";
import { readExperiment, type CheckedExperiment } from "./experiment.ts";

/** The built-in experiment called `nameOrPath`, or the one that the file there defines. */
export function loadExperiment(nameOrPath: string): CheckedExperiment {
  const definition = builtIn(nameOrPath);
  if (definition !== undefined) return readExperiment(definition, nameOrPath);
  const text = readText(nameOrPath);
  const name = basename(nameOrPath, extname(nameOrPath));
  const experiment = readExperiment(parse(text, nameOrPath), nameOrPath, name);
  const folder = dirname(nameOrPath);
  const parts = experiment.parts.map((part) => ({
    ...part,
    traces: part.traces.map((trace) => (trace in SAMPLE_TRACES ? trace : resolve(folder, trace))),
  }));
  return { ...experiment, parts };
}

function readText(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) {
    const remedy = remedyForName(path, BUILT_IN_NAMES);
    throw new BadInput(path, undefined, `give a YAML or JSON file, or ${remedy}`);
  }
  if (status.isDirectory()) {
    throw new BadInput(path, "a directory", "give the YAML or JSON file of an experiment");
  }
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new BadInput(path, (error as NodeJS.ErrnoException).code, "make the file readable");
  }
}

function parse(text: string, path: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    const reason = error.message.split("\n", 1)[0];
    throw new BadInput(`${path}:${line}:${col}`, text.split("\n")[line - 1]?.trim(), `${reason}`);
  }
  if (document.contents === null) {
    throw new BadInput(path, "an empty file", "write workloads and axes, as docs/commands/run.md");
  }
  return document.toJS();
}
