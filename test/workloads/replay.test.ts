// Recordings of a few lines, replayed: exact counts, the recorded order, and what is refused.

import { expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { simulate } from "../../src/experiment/simulate.ts";
import { CALL_FUNCTION_SINGLE_VECTOR } from "../../src/kernel/operation/vectors.ts";
import { Lines, recordingFile } from "./recorded.ts";
import { type Replayed, replayed, type Seen } from "./replayed.ts";

const [FIRST, SECOND] = [
  { pid: 100, cpu: 0 },
  { pid: 101, cpu: 1 },
];
const THREAD_FLAGS = "3d0f00";
const VFORK_FLAGS = "4100";
const DONTNEED = 4;

const discard = (lines: Lines): Lines =>
  lines
    .add(FIRST, `sys_madvise(start: 0x7f0000001000, len_in: 0x1000, behavior: ${DONTNEED})`)
    .add(FIRST, "sys_madvise -> 0x0");

const newTask = (lines: Lines, pid: number, flags: string): Lines =>
  lines.add(FIRST, `task_newtask: pid=${pid} comm=b clone_flags=${flags} oom_score_adj=0`);

const exit = (lines: Lines, spot: typeof FIRST): Lines =>
  lines.add(spot, `sched_process_exit: comm=a pid=${spot.pid} prio=120 group_dead=false`);

/** Two threads on two CPUs; one discards a page while the other runs, and while it is asleep. */
function twoThreads(): Lines {
  const lines = newTask(new Lines().fault(FIRST), 101, THREAD_FLAGS);
  discard(lines.switch(1, 0, 101).fault(SECOND));
  discard(lines.switch(1, 101, 0).fault(FIRST));
  exit(lines.switch(1, 0, 101), SECOND).switch(1, 101, 0, "X");
  return exit(lines, FIRST).switch(0, 100, 0, "X");
}

const count = ({ events }: Replayed, matches: (event: Seen) => boolean): number =>
  events.filter(matches).length;

const ipisOf = (outcome: Replayed): number =>
  count(outcome, (one) => one.kind === "ipiSent" && one.vector === CALL_FUNCTION_SINGLE_VECTOR);

test("switches, flushes, interrupts and the lazy skip are those of the recording", async () => {
  const outcome = await replayed(recordingFile(twoThreads()), { idle: "halt" });
  expect(outcome.violations).toEqual([]);
  expect(count(outcome, ({ kind }) => kind === "switched")).toBe(6);
  // Two discards and the exit's; the second discard finds CPU 1 lazy and sends nothing.
  expect(outcome.counts).toMatchObject({ remote: 3, local: 2 });
  expect(ipisOf(outcome)).toBe(2);
});

test("without lazy TLB the sleeping CPU is in no mask", async () => {
  const outcome = await replayed(recordingFile(twoThreads()), { lazyTlb: "eager", idle: "halt" });
  expect(outcome.counts).toMatchObject({ remote: 1, local: 2 });
  expect(ipisOf(outcome)).toBe(1);
});

test("two CPUs act in recorded order and no earlier than recorded", async () => {
  const { events } = await replayed(recordingFile(twoThreads()));
  const order = events
    .filter(({ kind }) => kind === "switched" || kind === "flushReturn")
    .map(({ kind, at }) => `${kind} ${at.cpu}`);
  expect(order.join(", ")).toBe(
    "switched 0, switched 1, flushReturn 0, switched 1, flushReturn 0, " +
      "switched 1, switched 1, flushReturn 0, switched 0",
  );
  const cycles = events.map(({ at }) => at.cycle);
  const lines = twoThreads().lines.length;
  expect(Math.max(...cycles)).toBeGreaterThan(10 * (lines - 1));
});

test("a vfork child has its own mm from when it wakes its parent", async () => {
  const lines = newTask(new Lines().fault(FIRST), 101, VFORK_FLAGS);
  const child = { pid: 101, cpu: 0 };
  lines.switch(0, 100, 101, "D").wakeup(child, 100, 0);
  lines.switch(0, 101, 100, "R").switch(0, 100, 101, "S");
  lines.add(child, "sched_process_exec: filename=b pid=101 old_pid=101").switch(0, 101, 100, "S");
  const { events, violations } = await replayed(recordingFile(lines));
  expect(violations).toEqual([]);
  expect(events.filter(({ kind }) => kind === "mmCreated")).toHaveLength(1);
  // To the parent's mm, to the child's at its exec, and then there, back and there again.
  expect(events.filter(({ kind }) => kind === "cr3Written")).toHaveLength(5);
});

test("a write fault on a page that was there to read copies it and flushes", async () => {
  const faultOf = (code: string): Lines =>
    new Lines().add(FIRST, `page_fault_user: address=0x7f0000001000 ip=0x1 error_code=${code}`);
  expect((await replayed(recordingFile(faultOf("0x6")))).counts.local).toBe(0);
  expect((await replayed(recordingFile(faultOf("0x7")))).counts.local).toBe(1);
});

test("a recording longer than one piece is read on while it is replayed", async () => {
  const lines = new Lines();
  for (let index = 0; index < 6_000; index += 2) lines.switch(0, 100, 101).switch(0, 101, 100);
  const outcome = await replayed(recordingFile(lines));
  expect(outcome.pieces).toBe(2);
  expect(count(outcome, ({ kind }) => kind === "switched")).toBe(6_001);
});

test("a trace of more CPUs than cores is refused with path, value and remedy", async () => {
  const trace = recordingFile(twoThreads(), 3);
  const configuration = completeConfiguration({ cores: 2 });
  const refused = simulate({ configuration, workload: "trace", seed: 1, trace });
  await expect(refused).rejects.toThrow(BadInput);
  await expect(refused).rejects.toThrow(/trace\.txt.*cores=2.*ran on 3 CPUs/s);
});

test("the measured part of a replay is all of it", async () => {
  const trace = recordingFile(twoThreads());
  const configuration = completeConfiguration({ cores: 2, idle: "halt" });
  const measured = await simulate({ configuration, workload: "trace", seed: 1, trace });
  expect(measured).toMatchObject({ ipis: 2, ipisToLazy: 1, contextSwitches: 6, violations: [] });
  expect(measured.initiatorCycles).toHaveLength(3);
  expect(measured.responderCycles).toHaveLength(2);
});
