// A file of vectors, one to a line, plain or gzip, of any size in constant memory.

import { once } from "node:events";
import { createReadStream, type ReadStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { BadInput } from "../../base/bad-input.ts";
import { parseVector, type Unrecorded } from "./parse.ts";
import type { Vector } from "./vector.ts";

const CHUNK_BYTES = 1 << 18;
const LONGEST_LINE = 1 << 24;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

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
  try {
    for await (const text of textLines(path)) {
      lineNumber += 1;
      if (text.trim() === "") continue;
      isEmpty = false;
      yield { where: `${path}:${lineNumber}`, text };
    }
  } catch (error) {
    throw asBadInput(path, error);
  }
  if (isEmpty) throw new BadInput(path, "empty file", "a file with one vector on each line");
}

async function* textLines(path: string): AsyncGenerator<string> {
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const gzip = await startsWithMagic(source);
  const text = new PassThrough({ highWaterMark: CHUNK_BYTES });
  const done = gzip ? pipeline(source, createGunzip(), text) : pipeline(source, text);
  done.catch((error: unknown) => text.destroy(error as Error));
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of text) {
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split("\n");
      rest = lines.pop()!;
      if (rest.length > LONGEST_LINE) {
        throw new BadInput(path, "not text", "a file with one vector on each line");
      }
      yield* lines;
    }
    if (rest !== "") yield rest;
  } finally {
    source.destroy();
  }
}

/** Looks at the first chunk and puts it back: the file may be a pipe. */
async function startsWithMagic(source: ReadStream): Promise<boolean> {
  await once(source, "readable");
  const head = source.read() as Buffer | null;
  if (head !== null) source.unshift(head);
  return GZIP_MAGIC.every((byte, index) => head?.[index] === byte);
}

const REMEDIES: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ["no such file", "name a file of vectors, .jsonl or .jsonl.gz"],
  EISDIR: ["a directory", "name one file of vectors in it"],
  EACCES: ["not readable", "change its permissions"],
  Z_BUF_ERROR: ["gzip data ends too early", "copy the file again"],
  Z_DATA_ERROR: ["damaged gzip data", "copy the file again"],
};

/** What the system says about the file, as bad input; anything else stays what it is. */
function asBadInput(path: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = REMEDIES[code];
  return known === undefined ? error : new BadInput(path, ...known);
}
