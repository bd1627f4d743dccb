import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { readTrace } from "../../src/trace/read-trace.ts";
import { SAMPLE_TRACES } from "../../src/trace/samples.ts";
import { Recording } from "./recording.ts";

const folder = mkdtempSync(join(tmpdir(), "shootdown-trace-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(content: string | Uint8Array): string {
  const path = join(folder, "trace.txt");
  writeFileSync(path, content);
  return path;
}

const text = new Recording()
  .fault({ pid: 7 })
  .add({ pid: 7 }, "tlb_flush: pages:1 reason:local MM shootdown (3)")
  .lines.join("\n");

/** The refusal, which must be one line of bad input. */
async function refusalOf(path: string): Promise<string> {
  const error = await readTrace(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BadInput);
  const { message } = error as BadInput;
  expect(message).not.toContain("\n");
  return message.replace(path, "PATH");
}

test("plain text and gzip are read alike, with and without a last line end", async () => {
  const plain = await readTrace(fileOf(text));
  expect(plain.events).toHaveLength(2);
  expect((await readTrace(fileOf(gzipSync(`${text}\n`)))).events).toEqual(plain.events);
});

test("a missing file is named", async () => {
  expect(await refusalOf(join(folder, "none.txt"))).toContain("no such file");
});

test("a directory is refused", async () => {
  expect(await refusalOf(folder)).toContain("a directory");
});

test("an empty file is refused", async () => {
  expect(await refusalOf(fileOf(""))).toContain("empty file");
});

test("gzip that ends too early is refused", async () => {
  const whole = readFileSync(SAMPLE_TRACES["madvise-free"]!);
  expect(await refusalOf(fileOf(whole.subarray(0, 20_000)))).toContain("ends too early");
});

test("damaged gzip is refused", async () => {
  const damaged = gzipSync(text);
  damaged.fill(0xff, 12, 30);
  expect(await refusalOf(fileOf(damaged))).toContain("damaged gzip");
});

test("a line that is cut off is named by its number", async () => {
  const message = await refusalOf(fileOf(text.slice(0, -20)));
  expect(message).toMatch(/^PATH:2: ".*": the fields of tlb_flush are damaged$/);
});

test("a garbled line in the middle is named by its number", async () => {
  expect(await refusalOf(fileOf(`${text}\n????\n${text}`))).toMatch(/^PATH:3: "\?\?\?\?": /);
});

test("another text file is refused at its first line", async () => {
  expect(await refusalOf(fileOf("name,value\na,1\n"))).toMatch(/^PATH:1: "name,value": expected /);
});

test("a file of remarks only has no events", async () => {
  expect(await refusalOf(fileOf("# tracer: nop\n#\n"))).toContain("no events");
});

test("binaries of trace-cmd and perf are refused with the command that converts them", async () => {
  const traceDat = Buffer.concat([Buffer.from([0x17, 0x08, 0x44]), Buffer.from("tracing6\0")]);
  expect(await refusalOf(fileOf(traceDat))).toContain("trace-cmd report -t");
  expect(await refusalOf(fileOf("PERFILE2xxxxxxxx"))).toContain("perf script --ns");
});

test("a file without line ends is refused before it fills the memory", async () => {
  expect(await refusalOf(fileOf("x".repeat(300_000)))).toContain("not text");
});
