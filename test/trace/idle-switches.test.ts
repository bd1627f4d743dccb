import { expect, test } from "vitest";
import type { TraceEvent } from "../../src/trace/trace-event.ts";
import { ofKind, Recording } from "./recording.ts";

const inferredIn = (events: readonly TraceEvent[]) =>
  ofKind(events, "switch").filter(({ inferred }) => inferred);

test("a task seen on an idle CPU was switched to, though nothing was logged", () => {
  const events = new Recording().switch(1, 7, 0).fault({ pid: 7, cpu: 1 }).events();
  expect(events.map(({ kind }) => kind)).toEqual(["switch", "switch", "pageFault"]);
  expect(inferredIn(events)).toMatchObject([{ cpu: 1, prevPid: 0, nextPid: 7, prevState: "?" }]);
});

test("an unlogged switch from idle comes right after the wakeup, not at the next event", () => {
  const events = new Recording()
    .switch(1, 7, 0)
    .wakeup({ pid: 8 }, 7, 1)
    .add({ pid: 8 }, "tlb_flush: pages:1 reason:remote IPI send (4)")
    .fault({ pid: 7, cpu: 1 })
    .events();
  expect(events.map(({ kind }) => kind)).toEqual([
    "switch",
    "wakeup",
    "switch",
    "flush",
    "pageFault",
  ]);
  expect(inferredIn(events)).toMatchObject([{ cycle: 10 }]);
});

test("an interrupt that still finds the CPU idle puts the unlogged switch after itself", () => {
  const events = new Recording()
    .switch(1, 7, 0)
    .wakeup({ pid: 8 }, 7, 1)
    .fault({ pid: 8 })
    .add({ pid: 0, cpu: 1, flags: "d.h1." }, "call_function_single_exit: vector=251")
    .fault({ pid: 8 })
    .fault({ pid: 7, cpu: 1 })
    .events();
  expect(inferredIn(events)).toMatchObject([{ cycle: 30 }]);
  expect(events.findIndex((event) => event.kind === "switch" && event.inferred)).toBe(3);
});

test("a wakeup just before the CPU went idle still counts", () => {
  const events = new Recording()
    .wakeup({ pid: 8 }, 9, 1)
    .switch(1, 7, 0)
    .fault({ pid: 8 })
    .fault({ pid: 9, cpu: 1 })
    .events();
  expect(events.map(({ kind }) => kind)).toEqual([
    "wakeup",
    "switch",
    "switch",
    "pageFault",
    "pageFault",
  ]);
});

test("a CPU that logs leaving idle gets nothing added", () => {
  const events = new Recording()
    .switch(0, 7, 0)
    .wakeup({ pid: 8, cpu: 1 }, 7, 0)
    .switch(0, 0, 7, "R")
    .fault({ pid: 7 })
    .events();
  expect(inferredIn(events)).toEqual([]);
});

test("a switch away from a task that was not current is preceded by the missing one", () => {
  const events = new Recording().switch(0, 7, 99999).switch(0, 0, 7, "R").events();
  expect(ofKind(events, "switch")).toMatchObject([
    { prevPid: 7, nextPid: 99999, inferred: false },
    { prevPid: 99999, nextPid: 0, inferred: true },
    { prevPid: 0, nextPid: 7, inferred: false },
  ]);
});

test("a line that becomes no event also shows who runs", () => {
  const events = new Recording()
    .switch(1, 7, 0)
    .add({ pid: 7, cpu: 1 }, "sys_futex -> 0x0")
    .fault({ pid: 8 })
    .events();
  expect(events.map(({ kind }) => kind)).toEqual(["switch", "switch", "pageFault"]);
});

test("the CR3 write of a switch carries the task that is left and infers nothing", () => {
  const flush = "tlb_flush: pages:0 reason:flush on task switch (0)";
  const events = new Recording().switch(0, 7, 8).add({ pid: 7 }, flush).fault({ pid: 8 }).events();
  expect(events).toMatchObject([
    { kind: "switch" },
    { kind: "flush", context: "switch", pid: 7 },
    { kind: "pageFault", pid: 8, context: "task" },
  ]);
});

test("a task may be switched to once more after its exit event", () => {
  const events = new Recording()
    .add({ pid: 7 }, "sched_process_exit: comm=task pid=7 prio=120 group_dead=true")
    .switch(0, 7, 0, "D")
    .switch(0, 0, 7, "R")
    .switch(0, 7, 0, "X")
    .events();
  expect(inferredIn(events)).toEqual([]);
});

test("execve by another thread renames the current task without a switch", () => {
  const events = new Recording()
    .fault({ pid: 8 })
    .add({ pid: 7 }, "sched_process_exec: filename=tool pid=7 old_pid=8")
    .fault({ pid: 7 })
    .events();
  expect(events.map(({ kind }) => kind)).toEqual(["pageFault", "exec", "pageFault"]);
});
