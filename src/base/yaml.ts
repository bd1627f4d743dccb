// YAML that a person wrote, JSON included: what it says, or the line and column that are wrong.

import { LineCounter, parseDocument } from "yaml";
import { BadInput } from "./bad-input.ts";

/** What the text says; null where it says nothing. */
export function parseYaml(text: string, path: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    const reason = error.message.split("\n", 1)[0]!;
    throw new BadInput(`${path}:${line}:${col}`, text.split("\n")[line - 1]?.trim(), reason);
  }
  try {
    return document.contents === null ? null : document.toJS();
  } catch (error) {
    // Aliases of aliases, which would unfold without end.
    throw new BadInput(path, "not YAML", (error as Error).message);
  }
}
