// A file of vectors, one to a line, plain or gzip, of any size in constant memory.

import { BadInput } from "../../base/bad-input.ts";
import { textLines, type TextKind } from "../../base/text-lines.ts";
import { parseVector, type Unrecorded } from "./parse.ts";
import type { Vector } from "./vector.ts";

const VECTOR_TEXT: TextKind = {
  name: "a file with one vector on each line",
  repair: "copy the file again",
  longestLine: 1 << 24,
};

export interface Line {
  /** FILE:LINE, counted from 1. */
  readonly where: string;
  readonly text: string;
}

export async function* readVectors(path: string): AsyncGenerator<Vector | Unrecorded> {
  for await (const { where, text } of readLines(path)) yield parseVector(where, text);
}

/** The lines that are not blank. A file without any is bad input. */
export async function* readLines(path: string): AsyncGenerator<Line> {
  let lineNumber = 0;
  let isEmpty = true;
  for await (const lines of textLines(path, VECTOR_TEXT)) {
    for (const text of lines) {
      lineNumber += 1;
      if (text.trim() === "") continue;
      isEmpty = false;
      yield { where: `${path}:${lineNumber}`, text };
    }
  }
  if (isEmpty) throw new BadInput(path, "empty file", `name ${VECTOR_TEXT.name}`);
}
