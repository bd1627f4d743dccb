// A small text file as a whole: what a person wrote by hand. Whatever is wrong with the file itself
// is found here and said in one line. A file without an end has one here.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { BadInput } from "./bad-input.ts";
import { type FileKind, fileProblem } from "./file-problem.ts";

const CHUNK_BYTES = 1 << 16;
const MOST_BYTES = 1 << 26;

/** `name` is what the file should be, as in "name a JSON file". */
export function readTextFile(path: string, name: string): string {
  const kind: FileKind = { name, repair: "copy the file again" };
  try {
    const file = openSync(path, "r");
    try {
      if (fstatSync(file).isDirectory()) throw new BadInput(path, "a directory", `name ${name}`);
      return textOf(file, path, name);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileProblem(path, error, kind);
  }
}

function textOf(file: number, path: string, name: string): string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const count = readSync(file, chunk);
    if (count === 0) return Buffer.concat(chunks).toString("utf8");
    chunks.push(chunk.subarray(0, count));
    bytes += count;
    if (bytes > MOST_BYTES) throw new BadInput(path, "more than 64 MiB", `name ${name}`);
  }
}
