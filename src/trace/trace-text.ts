// A trace file's lines. What other tools keep traces in is known by its first bytes.

import { BadInput } from "../base/bad-input.ts";
import { textLines, type TextKind } from "../base/text-lines.ts";

const HEAD_BYTES = 16;

const TRACE_TEXT: TextKind = {
  name: "a recorded trace",
  repair: "copy or record the trace again",
  longestLine: 1 << 16,
  inspect: refuseBinary,
};

/** Batches of lines, without their ends. */
export const traceLines = (path: string): AsyncGenerator<readonly string[]> =>
  textLines(path, TRACE_TEXT);

function refuseBinary(path: string, head: Buffer): void {
  const text = head.toString("latin1", 0, HEAD_BYTES);
  if (text.includes("tracing")) {
    throw new BadInput(path, "trace-cmd's binary", "convert it with `trace-cmd report -t`");
  }
  if (text.startsWith("PERFILE")) {
    throw new BadInput(path, "perf's binary", "convert it with `perf script --ns`");
  }
}
