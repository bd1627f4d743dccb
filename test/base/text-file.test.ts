// Files that are none, or have no end: one line, and no reading for ever.

import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { readTextFile } from "../../src/base/text-file.ts";
import { endlessLink, scratch } from "../scratch.ts";

const { folder, file } = scratch("text-file");

function messageOf(path: string): string {
  try {
    return readTextFile(path, "a list");
  } catch (error) {
    if (error instanceof BadInput) return error.message.replaceAll(`${folder}/`, "");
    throw error;
  }
}

test("a file is read as a whole", () => {
  const text = "long, and ünïcode\n".repeat(10_000);
  expect(readTextFile(file("long", text), "a list")).toBe(text);
});

test.each([
  ["a file that is not there", join(folder, "none"), 'none: "no such file": name a list'],
  ["a file as a folder", join(file("plain", ""), "in"), 'plain/in: "no such file": name a list'],
  ["a folder", folder, `${folder}: "a directory": name a list`],
  ["a link to itself", endlessLink(folder, "loop"), 'loop: "a link that leads to itself": name a'],
  ["a name that is too long", join(folder, "x".repeat(300)), '"no such file": name a list'],
  ["a name with a zero in it", "a\0b", 'a\\u0000b: "ERR_INVALID_ARG_VALUE": name a list'],
  ["a file without an end", "/dev/zero", '/dev/zero: "more than 64 MiB": name a list'],
])("%s is bad input", (_what, path, message) => {
  expect(messageOf(path)).toContain(message);
});

test.skipIf(process.getuid?.() === 0)("a file that may not be read is bad input", () => {
  const shut = join(folder, "shut");
  mkdirSync(shut, { mode: 0o700 });
  chmodSync(shut, 0);
  expect(messageOf(join(shut, "in"))).toContain('shut/in: "not readable": change its permissions');
  chmodSync(shut, 0o700);
});
