// Files that results are saved to: what is there stays what it is, and nothing that was measured is
// lost.

import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { resultFile } from "../../src/cli/result-file.ts";
import { scratch } from "../scratch.ts";
import { shootdown, TINY } from "./command.ts";

const { folder, file } = scratch("result-file");
const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const RUN = ["run", "munmap", ...TINY, "--set", "lazyTlb=eager"];
const inFolder = (name: string): string => join(folder, name);

describe("a result file", () => {
  const write = (path: string, text = "new"): void =>
    resultFile("--out", path, [".json"]).write(text);

  test("keeps the mode of the one that is there", () => {
    const path = file("private.json", "old");
    chmodSync(path, 0o600);
    write(path);
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["new", 0o600]);
  });

  test("is written where a link leads, and the link stays", () => {
    file("target.json", "old");
    symlinkSync("target.json", inFolder("link.json"));
    write(inFolder("link.json"));
    expect(readFileSync(inFolder("target.json"), "utf8")).toBe("new");
    expect(lstatSync(inFolder("link.json")).isSymbolicLink()).toBe(true);
  });

  test("is made where a link leads that has no end yet", () => {
    symlinkSync("later.json", inFolder("dangling.json"));
    write(inFolder("dangling.json"));
    expect(readFileSync(inFolder("later.json"), "utf8")).toBe("new");
  });

  test("leaves a pipe a pipe, and writes into it", () => {
    const pipe = inFolder("pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = spawnSync(
      "sh",
      ["-c", `cat ${pipe} & exec ${process.execPath} ${MAIN} "$@"`, "sh", ...RUN, "--out", pipe],
      { encoding: "utf8" },
    );
    expect(reader.status).toBe(0);
    expect(reader.stdout).toContain('"experiment": "munmap"');
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });

  test("leaves nothing beside it", () => {
    mkdirSync(inFolder("empty"));
    write(inFolder("empty/rows.json"));
    expect(readdirSync(inFolder("empty"))).toEqual(["rows.json"]);
  });

  test.each([
    ["", "give the name of a file"],
    ["nowhere/rows.json", "make the directory"],
    [".", "a directory; give the name of a file"],
    ["loop", "ELOOP; give a file that can be written"],
    ["rows.dat", "give a file that ends in .json"],
    [`${"long".repeat(100)}.json`, "ENAMETOOLONG; give a file that can be written"],
  ])("%j is refused before anything runs", (name, remedy) => {
    if (name === "loop") symlinkSync("loop", inFolder("loop"));
    const path = name === "" ? "" : inFolder(name);
    expect(() => resultFile("--diagram", path, [".json"])).toThrow(remedy);
    expect(() => resultFile("--diagram", path, [".json"])).toThrow(/^--diagram: "/);
  });
});

describe("--out", () => {
  test("of a file that is full ends in the rows on stdout, one line and exit code 2", async () => {
    const { code, stdout, stderr } = await shootdown(...RUN, "--out", "/dev/full");
    expect(stdout).toMatch(/^munmap$/m);
    expect(stdout).toContain('"experiment": "munmap"');
    expect(stderr).toBe('shootdown: --out: "/dev/full": ENOSPC; give a file that can be written\n');
    expect(code).toBe(2);
  });

  test.each(["-", "/dev/stdout"])("of %s prints the document alone", (path) => {
    const into = inFolder("stdout.txt");
    execFileSync("sh", [
      "-c",
      `exec "$@" >${into}`,
      "sh",
      process.execPath,
      MAIN,
      ...RUN,
      "--out",
      path,
    ]);
    expect(JSON.parse(readFileSync(into, "utf8"))).toMatchObject({ experiment: "munmap" });
  });

  test("of - prints CSV where CSV is asked for", async () => {
    const { stdout } = await shootdown(...RUN, "--csv", "--out", "-");
    expect(stdout).toBe((await shootdown(...RUN, "--csv")).stdout);
  });
});

test("--diagram of a Markdown file stands in a fence", async () => {
  const path = inFolder("found.md");
  const job = ["exit-while-lazy", "--policy", "unrefcounted", "--protocol", "linux-6.18"];
  const { code } = await shootdown("explore", ...job, "--diagram", path);
  expect(code).toBe(0);
  expect(readFileSync(path, "utf8")).toMatch(/^```mermaid\nsequenceDiagram\n[^]*\n```\n$/);
});

describe("a stream that takes nothing", () => {
  const withFull = (stream: string, ...words: string[]) =>
    spawnSync(
      "sh",
      ["-c", `exec "$@" ${stream}/dev/full`, "sh", process.execPath, MAIN, ...words],
      {
        encoding: "utf8",
      },
    );

  test("as stdout is told in one line, with exit code 2", () => {
    const { status, stderr } = withFull(">", ...RUN);
    expect(stderr).toBe('shootdown: stdout: "ENOSPC": give it room, or a file with --out\n');
    expect(status).toBe(2);
  });

  test("as stderr changes no exit code", () => {
    expect(withFull("2>", "run", "nonsense").status).toBe(2);
    expect(withFull("2>", ...RUN, "--set", "cores=1,2").status).toBe(0);
  });
});
