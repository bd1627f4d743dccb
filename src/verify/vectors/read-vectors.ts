// Files of vectors, one to a line, plain or gzip, of any size in constant memory.

import { fileURLToPath } from "node:url";
import { BadInput } from "../../base/bad-input.ts";
import { checkFile, checkStandardInput, textLines, type TextKind } from "../../base/text-lines.ts";
import { parseVector, type Unrecorded } from "./parse.ts";
import type { Vector } from "./vector.ts";

const VECTOR_TEXT: TextKind = {
  name: "a file with one vector on each line",
  repair: "copy the file again",
  longestLine: 1 << 24,
};

/** Names the standard input. */
const STANDARD_INPUT = "-";

/** The vectors that come with the package; data/vectors/README.md says what they are worth. */
export const RECORDED_VECTORS = fileURLToPath(
  // From src/validate/vectors and from dist/validate/vectors alike.
  new URL("../../../data/vectors/vectors-dev.jsonl.gz", import.meta.url),
);

export interface Line {
  /** FILE:LINE, counted from 1. */
  readonly where: string;
  readonly text: string;
}

/** One file after the other; all are there, or nothing is read. */
export async function* readFiles(paths: readonly string[]): AsyncGenerator<Vector | Unrecorded> {
  for (const path of paths) if (path !== STANDARD_INPUT) checkFile(path, VECTOR_TEXT);
  const piped = paths.filter((path) => path === STANDARD_INPUT).length;
  if (piped > 1) throw new BadInput(STANDARD_INPUT, `${piped} times`, "name the input once");
  for (const path of paths) yield* readVectors(path);
}

export async function* readVectors(path: string): AsyncGenerator<Vector | Unrecorded> {
  for await (const { where, text } of readLines(path)) yield parseVector(where, text);
}

/** The lines that are not blank. A file without any is bad input. */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const isPiped = path === STANDARD_INPUT;
  const name = isPiped ? "stdin" : path;
  if (isPiped) checkStandardInput(VECTOR_TEXT);
  let lineNumber = 0;
  let isEmpty = true;
  for await (const lines of textLines(name, VECTOR_TEXT, isPiped ? process.stdin : undefined)) {
    for (const text of lines) {
      lineNumber += 1;
      if (text.trim() === "") continue;
      isEmpty = false;
      yield { where: `${name}:${lineNumber}`, text };
    }
  }
  if (isEmpty) throw new BadInput(name, "empty file", `name ${VECTOR_TEXT.name}`);
}
