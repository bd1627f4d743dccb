// Colours for a terminal; plain text everywhere else.

import { styleText } from "node:util";
import { isAsExpected } from "../experiment/row.ts";
import type { Row } from "../experiment/result.ts";

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  known(text: string): string;
  bad(text: string): string;
}

const same = (text: string): string => text;

export const plain: Paint = { bold: same, dim: same, good: same, known: same, bad: same };

const styled =
  (style: Parameters<typeof styleText>[0]) =>
  (text: string): string =>
    styleText(style, text, { validateStream: false });

export const colours: Paint = {
  bold: styled("bold"),
  dim: styled("dim"),
  good: styled("green"),
  known: styled("yellow"),
  bad: styled(["bold", "red"]),
};

/** Green for ok, yellow for a violation that was expected, red for a verdict that was not. */
export function paintVerdict(row: Row, text: string, paint: Paint): string {
  if (!isAsExpected(row)) return paint.bad(text);
  return row.verdict === "ok" ? paint.good(text) : paint.known(text);
}
