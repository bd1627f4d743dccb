import { expect, test } from "vitest";
import { TraceParser } from "../../src/trace/parser.ts";
import { HOLD_LIMIT } from "../../src/trace/holding-queue.ts";
import { eventsOf, ofKind, Recording, taken } from "./recording.ts";

const task = { pid: 7 };

test("a system call is one event at its entry and carries its result", () => {
  const events = new Recording()
    .add(task, "sys_mmap(addr: 0, len: 0x2000, prot: 3, flags: 0x22, fd: 0xffffffff, off: 0)")
    .fault({ pid: 8, cpu: 1 })
    .add(task, "sys_mmap -> 0x7f216f609000")
    .events();
  expect(events.map(({ kind }) => kind)).toEqual(["mmap", "pageFault"]);
  expect(events[0]).toMatchObject({
    cycle: 0,
    lengthBytes: 0x2000,
    protection: 3,
    fixed: false,
    anonymous: true,
    errno: 0,
    result: 0x7f216f609000n,
  });
});

test("a call that fails has its error number and no address", () => {
  const [event] = new Recording()
    .add(task, "sys_mmap(addr: 0, len: 0x2000, prot: 3, flags: 0x22, fd: 0xffffffff, off: 0)")
    .add(task, "sys_mmap -> 0xfffffffffffffff4")
    .events();
  expect(event).toMatchObject({ errno: 12, result: undefined });
});

test("a call that never returns is told without an error number", () => {
  const munmap = "sys_munmap(addr: 0x7f0000000000, len: 0x1000)";
  const exited = new Recording()
    .add(task, munmap)
    .add(task, "sched_process_exit: comm=task pid=7 prio=120 group_dead=true")
    .events();
  expect(exited[0]).toMatchObject({ kind: "munmap", errno: undefined });
  const cut = new Recording().add(task, munmap).events();
  expect(cut[0]).toMatchObject({ kind: "munmap", errno: undefined });
});

test("a result without its entry is no event", () => {
  const events = new Recording().add(task, "sys_brk -> 0x55550000").fault(task).events();
  expect(events.map(({ kind }) => kind)).toEqual(["pageFault"]);
});

test("a call that does not return holds back no more events than the limit", () => {
  const recording = new Recording().add(task, "sys_munmap(addr: 0x7f0000000000, len: 0x1000)");
  for (let count = 0; count < HOLD_LIMIT + 10; count++) recording.fault({ pid: 8, cpu: 1 });
  const parser = new TraceParser("test.txt");
  for (const line of recording.lines) parser.push(line);
  const early = taken(parser);
  expect(early[0]).toMatchObject({ kind: "munmap", errno: undefined });
  expect(early.length).toBeGreaterThan(10);
});

test.each([
  [4, "dontneed"],
  [8, "free"],
  [14, "other"],
])("madvise %d is %s", (advice, behaviour) => {
  const [event] = new Recording()
    .add(task, `sys_madvise(start: 0x7f0000000000, len_in: 0x1000, behavior: ${advice})`)
    .events();
  expect(event).toMatchObject({ kind: "madvise", behaviour, advice, lengthBytes: 4096 });
});

const forkOf = (flags: string) =>
  new Recording()
    .add(task, `task_newtask: pid=9 comm=task clone_flags=${flags} oom_score_adj=0`)
    .events()[0];
const flushOf = (fields: string) => new Recording().add(task, `tlb_flush: ${fields}`).events()[0];
const flagless = (message: string) => `  task-7  [000] 12.000000000: ${message}`;

test("clone flags come from task_newtask: threads, vfork children and forks differ", () => {
  const child = { kind: "fork", childPid: 9, parentPid: 7 };
  expect(forkOf("3d0f00")).toMatchObject({ ...child, sharesMm: true, thread: true, vfork: false });
  expect(forkOf("4100")).toMatchObject({ ...child, sharesMm: true, thread: false, vfork: true });
  expect(forkOf("1200000")).toMatchObject({ ...child, sharesMm: false, thread: false });
});

test("a flush is known by its number, whatever words stand before it", () => {
  expect(flushOf("pages:-1 reason:local MM shootdown (3)")).toMatchObject({ pages: -1, reason: 3 });
  expect(flushOf("pages=-1 reason=local mm shootdown (3)")).toMatchObject({ pages: -1, reason: 3 });
  expect(flushOf("pages=1 reason= (4)")).toMatchObject({ pages: 1, reason: 4 });
});

test("a flush of execve is logged without a switch and stays with its task", () => {
  const events = new Recording()
    .add(task, "sys_execve(filename: 0x1, argv: 0x2, envp: 0x3)")
    .add({ pid: 7, flags: "d..1." }, "tlb_flush: pages:-1 reason:flush on task switch (0)")
    .add(task, "sched_process_exec: filename=tool with blank pid=7 old_pid=7")
    .events();
  expect(events).toMatchObject([
    { kind: "flush", pid: 7, context: "task" },
    { kind: "exec", pid: 7, oldPid: 7, filename: "tool with blank" },
  ]);
});

test("interrupts are told apart by the line's flags", () => {
  const [event] = new Recording()
    .add({ pid: 7, flags: "d.h1." }, "tlb_flush: pages:1 reason:remote shootdown (1)")
    .events();
  expect(event).toMatchObject({ kind: "flush", reason: 1, context: "interrupt", pid: 7 });
});

test("without flags an interrupt lasts from its vector's entry to its exit", () => {
  const flush = flagless("tlb_flush: pages=1 reason= (4)");
  const events = eventsOf([
    flush,
    flagless("call_function_single_entry: vector=251"),
    flush,
    flagless("call_function_single_exit: vector=251"),
    flush,
  ]);
  expect(events.map(({ context }) => context)).toEqual(["task", "interrupt", "task"]);
});

test("names with blanks, dashes and brackets are read whole", () => {
  const [event] = new Recording().fault({ pid: 7, comm: "a-1 [b] c-2" }).events();
  expect(event).toMatchObject({ comm: "a-1 [b] c-2", pid: 7 });
});

test("a queued flush request names its target; other requests are left out", () => {
  const events = new Recording()
    .add(task, "csd_queue_cpu: cpu=1 callsite=f+0x20/0x60 func=flush_tlb_func csd=1")
    .add(task, "csd_queue_cpu: cpu=1 callsite=f+0x20/0x60 func=sched_ttwu_pending csd=2")
    .events();
  expect(ofKind(events, "flushRequest")).toMatchObject([{ targetCpu: 1 }]);
  expect(events).toHaveLength(1);
});

test("lines of no concern are counted by name", () => {
  const parser = new TraceParser("test.txt");
  for (const line of new Recording().add(task, "exit_mmap: mt_mod 2").fault(task).lines) {
    parser.push(line);
  }
  expect([...parser.ignored]).toEqual([["exit_mmap", 1]]);
});
