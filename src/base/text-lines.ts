// A text file's lines, plain or gzip, in constant memory. Whatever is wrong with the file itself is
// found here and said in one line.

import { once } from "node:events";
import { createReadStream, fstatSync, statSync } from "node:fs";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { BadInput } from "./bad-input.ts";
import { type FileKind, fileProblem, isDirectory } from "./file-problem.ts";

const CHUNK_BYTES = 1 << 18;

/** What the file should be, for the messages. */
export interface TextKind extends FileKind {
  /** A line that is longer is not text. */
  readonly longestLine: number;
  /** Throws if the file's first bytes show that it is something else. */
  readonly inspect?: (path: string, head: Buffer) => void;
}

/** Refuses a path that names no file, before anything is read. */
export function checkFile(path: string, kind: TextKind): void {
  try {
    if (statSync(path).isDirectory()) throw isDirectory(path);
  } catch (error) {
    throw fileProblem(path, error, kind);
  }
}

/** Refuses a standard input that nothing can be read from. */
export function checkStandardInput(kind: TextKind): void {
  try {
    if (fstatSync(0).isDirectory()) throw isDirectory("stdin");
  } catch (error) {
    throw fileProblem("stdin", error, kind);
  }
}

/**
 * Batches of lines, without their ends. A file without a single byte is bad input. Of a `source`
 * that is given, `path` is but the name.
 */
export async function* textLines(
  path: string,
  kind: TextKind,
  source: Readable = createReadStream(path, { highWaterMark: CHUNK_BYTES }),
): AsyncGenerator<readonly string[]> {
  try {
    const head = await headOf(source);
    if (head.length === 0) throw new BadInput(path, "empty file", kind.repair);
    kind.inspect?.(path, head);
    const text = new PassThrough({ highWaterMark: CHUNK_BYTES });
    const isGzip = head[0] === 0x1f && head[1] === 0x8b;
    const done = isGzip ? pipeline(source, createGunzip(), text) : pipeline(source, text);
    done.catch((error: unknown) => text.destroy(error as Error));
    yield* linesOf(path, text, kind);
  } catch (error) {
    throw fileProblem(path, error, kind);
  } finally {
    source.destroy();
  }
}

/** Looks at the first chunk and puts it back: the file may be a pipe. */
async function headOf(source: Readable): Promise<Buffer> {
  // What has ended, or is closed, is never readable again.
  if (source.readableEnded || source.destroyed) return Buffer.alloc(0);
  await Promise.race([once(source, "readable"), once(source, "end")]);
  const head = source.read() as Buffer | null;
  if (head !== null) source.unshift(head);
  return head ?? Buffer.alloc(0);
}

async function* linesOf(
  path: string,
  text: PassThrough,
  { name, longestLine }: TextKind,
): AsyncGenerator<readonly string[]> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of text) {
    const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > longestLine) {
      throw new BadInput(path, "not text", `give it ${name} as text, plain or gzip`);
    }
    yield lines;
  }
  if (rest !== "") yield [rest];
}
