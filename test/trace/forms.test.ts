// The same seven lines as the kernel, trace-cmd and perf print them are in forms/.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { TraceEvent } from "../../src/trace/trace-event.ts";
import { TraceParser } from "../../src/trace/parser.ts";
import { eventsOf } from "./recording.ts";

const form = (name: string): readonly string[] =>
  readFileSync(new URL(`forms/${name}.txt`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");

/** The events without what the forms do not print alike. */
const bare = (events: readonly TraceEvent[]) =>
  events.map((event) => ({ ...event, line: 0, comm: "", context: "task" }));

test("trace-cmd report -t says the same as the kernel's text, the TSC included", () => {
  expect(bare(eventsOf(form("trace-cmd")))).toEqual(bare(eventsOf(form("kernel"))));
});

test("perf script says the same; without a header a cycle is a nanosecond", () => {
  expect(bare(eventsOf(form("perf-script")))).toEqual(bare(eventsOf(form("kernel"))));
});

test("stamps in microseconds become cycles by the frequency of the header", () => {
  const fault = "page_fault_user: address=0x1000 ip=0x2 error_code=0x4";
  const events = eventsOf([
    "# meta: clock=mono tsc_mhz=2000",
    ` task-7 (  7) [000] d.... 12.000001: ${fault}`,
    ` task-7 (  7) [000] d.... 12.000004: ${fault}`,
  ]);
  expect(events.map(({ cycle }) => cycle)).toEqual([0, 6000]);
});

const metaOf = (path: string, lines: readonly string[]) => {
  const parser = new TraceParser(path);
  for (const line of lines) parser.push(line);
  return parser.meta;
};

test("the header tells workload, clock, CPUs and lost events", () => {
  expect(metaOf("x.txt", form("kernel"))).toEqual({
    workload: "ring",
    tscMhz: 2596.122,
    cpus: 2,
    lostEvents: 3,
  });
});

test("without a header the file's name and the highest CPU stand in", () => {
  const lines = [
    "CPU:1 [LOST 17 EVENTS]",
    ...form("perf-script").map((line) => line.replace("[000]", "[003]")),
  ];
  expect(metaOf("/somewhere/my-run.txt.gz", lines)).toEqual({
    workload: "my-run",
    tscMhz: 1000,
    cpus: 4,
    lostEvents: 17,
  });
});
