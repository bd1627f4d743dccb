// The counts below were taken from the files with zgrep -c, not with this reader:
//   zgrep -c 'tlb_flush: .*(4)' FILE, zgrep -c ' sys_madvise(' FILE, and so on.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { TraceEvent } from "../../src/trace/trace-event.ts";
import { readTrace, traceEvents } from "../../src/trace/read-trace.ts";
import { SAMPLE_TRACE_NAMES, SAMPLE_TRACES } from "../../src/trace/samples.ts";
import { ofKind } from "./recording.ts";

const EXPECTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "madvise-free": {
    switch: 22,
    wakeup: 14,
    migrate: 2,
    fork: 1,
    exec: 1,
    exit: 2,
    mmap: 11,
    munmap: 3,
    mprotect: 4,
    madvise: 403,
    brk: 3,
    pageFault: 101,
    flush: 1227,
    "reason 0": 3,
    "reason 1": 402,
    "reason 3": 416,
    "reason 4": 404,
    "reason 5": 2,
    flushRequest: 404,
  },
  "messaging-threads": {
    switch: 530,
    wakeup: 447,
    migrate: 51,
    fork: 80,
    exec: 1,
    exit: 81,
    mmap: 216,
    munmap: 1,
    mprotect: 108,
    brk: 5,
    pageFault: 1036,
    flush: 138,
    "reason 0": 6,
    "reason 3": 128,
    "reason 4": 3,
    "reason 5": 1,
    flushRequest: 2,
  },
  "vfork-exec": {
    switch: 358,
    wakeup: 262,
    migrate: 6,
    fork: 80,
    exec: 81,
    exit: 81,
    mmap: 648,
    munmap: 81,
    mprotect: 243,
    brk: 81,
    pageFault: 3920,
    flush: 1496,
    "reason 0": 399,
    "reason 3": 1095,
    "reason 4": 1,
    "reason 5": 1,
    flushRequest: 1,
  },
  "lazy-dontneed": {
    switch: 1523,
    wakeup: 1015,
    migrate: 6,
    fork: 1,
    exec: 1,
    exit: 2,
    mmap: 10,
    munmap: 1,
    mprotect: 4,
    madvise: 502,
    brk: 3,
    pageFault: 4060,
    flush: 1523,
    "reason 0": 505,
    "reason 3": 514,
    "reason 4": 502,
    "reason 5": 2,
    flushRequest: 2,
  },
};

const inferred = (event: TraceEvent) => event.kind === "switch" && event.inferred;

test.each(SAMPLE_TRACE_NAMES)(
  "%s holds as many events of each kind as grep counts",
  async (name) => {
    const { events, meta } = await readTrace(SAMPLE_TRACES[name]!);
    const counts: Record<string, number> = {};
    for (const event of events) {
      const keys = event.kind === "flush" ? ["flush", `reason ${event.reason}`] : [event.kind];
      if (!inferred(event)) for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
    }
    expect(counts).toEqual(EXPECTED[name]);
    expect(meta).toMatchObject({ tscMhz: 2596.122, cpus: 2, lostEvents: 0 });
  },
);

test.each(SAMPLE_TRACE_NAMES)(
  "%s: no line is lost between events and ignored names",
  async (name) => {
    const { events, ignored } = await readTrace(SAMPLE_TRACES[name]!);
    const lines = gunzipSync(readFileSync(SAMPLE_TRACES[name]!)).toString().trimEnd().split("\n");
    const returned = events.filter((event) => "errno" in event && event.errno !== undefined).length;
    const logged = events.filter((event) => !inferred(event)).length;
    const left = [...ignored.values()].reduce((sum, count) => sum + count, 0);
    expect(logged + returned + left).toBe(lines.filter((line) => !line.startsWith("#")).length);
  },
);

test.each(SAMPLE_TRACE_NAMES)("%s: every event's task is its CPU's current one", async (name) => {
  const { events } = await readTrace(SAMPLE_TRACES[name]!);
  const current = new Map<number, number>();
  let previousCycle = 0;
  for (const event of events) {
    expect(event.cycle).toBeGreaterThanOrEqual(previousCycle);
    previousCycle = event.cycle;
    const pid = current.get(event.cpu) ?? event.pid;
    if (event.context !== "switch") expect(pid, `line ${event.line}`).toBe(event.pid);
    current.set(event.cpu, event.kind === "switch" ? event.nextPid : pid);
    const { nextPid } = event.kind === "switch" ? event : { nextPid: 0 };
    if (nextPid === 0 || nextPid === 99999) continue;
    expect([...current.values()].filter((running) => running === nextPid)).toHaveLength(1);
  }
});

test("streaming gives the same events as reading the whole trace", async () => {
  const path = SAMPLE_TRACES["messaging-threads"]!;
  const streamed: TraceEvent[] = [];
  for await (const event of traceEvents(path)) streamed.push(event);
  expect(streamed).toEqual((await readTrace(path)).events);
});

test("a stream may be left before its end", async () => {
  for await (const event of traceEvents(SAMPLE_TRACES["vfork-exec"]!)) {
    expect(event.kind).toBe("pageFault");
    break;
  }
});

test("the idle exits that CPU 1 does not log are inferred", async () => {
  const { events } = await readTrace(SAMPLE_TRACES["lazy-dontneed"]!);
  const exits = ofKind(events, "switch").filter(
    (event) => event.inferred && event.cpu === 1 && event.prevPid === 0,
  );
  const logged = ofKind(events, "switch").filter(
    (event) => !event.inferred && event.cpu === 1 && event.nextPid === 0,
  );
  expect(exits.length).toBeGreaterThan(490);
  expect(Math.abs(exits.length - logged.length)).toBeLessThanOrEqual(1);
});

test("every vfork child of vfork-exec borrows the mm and then executes", async () => {
  const { events } = await readTrace(SAMPLE_TRACES["vfork-exec"]!);
  const children = ofKind(events, "fork").filter(({ vfork, sharesMm }) => vfork && sharesMm);
  const executed = new Set(ofKind(events, "exec").map(({ pid }) => pid));
  expect(children).toHaveLength(80);
  expect(children.filter(({ childPid }) => !executed.has(childPid))).toEqual([]);
});
