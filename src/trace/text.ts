// A trace file's lines, plain or gzip, in constant memory. Whatever is wrong with the file itself
// is found here and said in one line.

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { PassThrough } from "node:stream";
import { createGunzip } from "node:zlib";
import { BadInput } from "../base/bad-input.ts";

const HEAD_BYTES = 16;
const LONGEST_LINE = 1 << 16;
const CHUNK_BYTES = 1 << 18;

/** Batches of lines, without their ends. */
export async function* textLines(path: string): AsyncGenerator<readonly string[]> {
  const head = await headOf(path).catch((error: unknown) => {
    throw asBadInput(path, error);
  });
  refuseBinary(path, head);
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const text = new PassThrough({ highWaterMark: CHUNK_BYTES });
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  const done = isGzip ? pipeline(source, createGunzip(), text) : pipeline(source, text);
  done.catch((error: unknown) => text.destroy(error as Error));
  try {
    yield* linesOf(path, text);
  } catch (error) {
    throw asBadInput(path, error);
  } finally {
    source.destroy();
  }
}

async function headOf(path: string): Promise<Buffer> {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = await open(path);
  try {
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    if (bytesRead === 0) throw new BadInput(path, "empty file", "record the trace again");
  } finally {
    await file.close();
  }
  return head;
}

function refuseBinary(path: string, head: Buffer): void {
  const text = head.toString("latin1");
  if (text.includes("tracing")) {
    throw new BadInput(path, "trace-cmd's binary", "convert it with `trace-cmd report -t`");
  }
  if (text.startsWith("PERFILE")) {
    throw new BadInput(path, "perf's binary", "convert it with `perf script --ns`");
  }
}

async function* linesOf(path: string, text: PassThrough): AsyncGenerator<readonly string[]> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of text) {
    const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE) {
      throw new BadInput(path, "not text", "give it a trace as text, plain or gzip");
    }
    yield lines;
  }
  if (rest !== "") yield [rest];
}

const REMEDIES: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ["no such file", "name a recorded trace"],
  EISDIR: ["a directory", "name one trace file in it"],
  EACCES: ["not readable", "change its permissions"],
  Z_BUF_ERROR: ["gzip data ends too early", "copy or record the trace again"],
  Z_DATA_ERROR: ["damaged gzip data", "copy or record the trace again"],
};

/** What the system says about the file, as bad input; anything else stays what it is. */
function asBadInput(path: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = REMEDIES[code];
  return known === undefined ? error : new BadInput(path, ...known);
}
