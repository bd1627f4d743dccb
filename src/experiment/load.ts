// An experiment by its name or from a file. JSON is read as the YAML that it is.

import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { BadInput, remedyForName } from "../base/bad-input.ts";
import { NO_SUCH_FILE } from "../base/file-problem.ts";
import { readTextFile } from "../base/text-file.ts";
import { parseYaml } from "../base/yaml.ts";
import { SAMPLE_TRACES } from "../trace/samples.ts";
import { BUILT_IN_NAMES, builtIn } from "./builtin.ts";
import type { ExperimentDefinition } from "./experiment.ts";

/** A definition as it was found, unchecked. */
export interface FoundExperiment {
  readonly definition: unknown;
  /** The file, or the name, that it was found by. */
  readonly origin: string;
  /** What it is called where it does not say. */
  readonly name: string;
  /** The place of a trace or a file of code that it names. */
  find(file: string): string;
  findTrace(trace: string): string;
}

/** The built-in experiment called `nameOrPath`, or the one that the file there defines. */
export function findExperiment(nameOrPath: string): FoundExperiment {
  const definition: ExperimentDefinition | undefined = builtIn(nameOrPath);
  const asItIs = (file: string): string => file;
  if (definition !== undefined) {
    return { definition, origin: nameOrPath, name: nameOrPath, find: asItIs, findTrace: asItIs };
  }
  const text = readText(nameOrPath);
  const folder = dirname(nameOrPath);
  return {
    definition: parse(text, nameOrPath),
    origin: nameOrPath,
    name: basename(nameOrPath, extname(nameOrPath)),
    find: (file) => (isAbsolute(file) ? file : join(folder, file)),
    findTrace: (trace) => (trace in SAMPLE_TRACES ? trace : resolve(folder, trace)),
  };
}

function readText(path: string): string {
  try {
    return readTextFile(path, "the YAML or JSON file of an experiment");
  } catch (error) {
    if (!(error instanceof BadInput && error.value === NO_SUCH_FILE)) throw error;
    const remedy = remedyForName(path, BUILT_IN_NAMES);
    throw new BadInput(path, undefined, `give a YAML or JSON file, or ${remedy}`);
  }
}

function parse(text: string, path: string): unknown {
  const definition = parseYaml(text, path);
  if (definition !== null) return definition;
  throw new BadInput(path, "an empty file", "write workloads and axes, as docs/commands/run.md");
}
