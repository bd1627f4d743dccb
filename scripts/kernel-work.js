// Cycles of whole system calls on the emulated CPUs: the last columns of the table of kernel work
// in docs/modelling.md. One core, PCID, `refcounted`, `linux-5.13`; a mapped page on either side
// keeps the page tables; the median of seven calls. Needs a build.
//
//   node scripts/kernel-work.js

import { Session } from "../dist/clock/session.js";
import { syscall } from "../dist/kernel/cpu/syscall.js";
import { lazyPolicies } from "../dist/kernel/lazy/policies.js";
import { MMAP_BASE } from "../dist/kernel/memory/mmap.js";
import { note } from "../dist/kernel/operation/operation.js";
import { protocols } from "../dist/kernel/shootdown/protocols.js";
import { Machine } from "../dist/machine/machine.js";
import { describeMachine } from "../dist/presets/describe.js";
import { presetNamed } from "../dist/presets/presets.js";
import { startInit } from "../dist/workloads/init.js";
import {
  discardPages,
  mapPages,
  protectPages,
  touchPages,
  unmapPages,
} from "../dist/workloads/memory.js";

const CPUS = ["skylake-sp", "milan"];
const CALLS = 7;

const nothing = function* () {};
const touch = (task, range) => touchPages(range, "write");

/** What is timed, with how many pages, and what comes before it. */
const calls = [
  { name: "munmap, touched", pages: [1, 8, 33, 34, 512], before: touch, timed: unmapPages },
  { name: "munmap, untouched", pages: [1, 512], before: nothing, timed: unmapPages },
  {
    name: "mprotect to read-only",
    pages: [1, 8, 33, 34, 512],
    before: touch,
    timed: (task, range) => protectPages(task, range, false),
  },
  {
    name: "mprotect to writable",
    pages: [8],
    *before(task, range) {
      yield* touch(task, range);
      yield* protectPages(task, range, false);
    },
    timed: (task, range) => protectPages(task, range, true),
  },
  { name: "madvise DONTNEED", pages: [1, 8, 33, 34, 512], before: touch, timed: discardPages },
  { name: "anonymous fault, write", pages: [1], before: nothing, timed: touch },
  { name: "getpid", pages: [1], before: nothing, timed: (task) => syscall(task, nothing()) },
];

const mark = () => note({ kind: "operationDone" });

function* timeCalls(task, pageCount, { before, timed }) {
  for (const at of [MMAP_BASE, MMAP_BASE + pageCount + 1]) {
    yield* touch(task, yield* mapPages(task, { pageCount: 1, at }));
  }
  for (let call = 0; call < CALLS; call++) {
    const range = yield* mapPages(task, { pageCount, at: MMAP_BASE + 1 });
    yield* before(task, range);
    yield* mark();
    yield* timed(task, range);
    yield* mark();
    yield* unmapPages(task, range);
  }
}

function medianOf(cpu, pageCount, call) {
  const description = describeMachine(presetNamed(cpu), { cores: 1, idle: "mwait" });
  const cycles = [];
  new Session({
    machine: new Machine(description),
    policy: lazyPolicies.refcounted,
    protocol: protocols["linux-5.13"],
    options: { pcid: true, flushCeiling: 33, idle: "mwait" },
    checks: false,
    observers: () => [
      { observe: ({ kind }, { cycle }) => void (kind === "operationDone" && cycles.push(cycle)) },
    ],
    start: (kernel) => startInit(kernel, "calls", (task) => timeCalls(task, pageCount, call)),
  }).runUntilStarved();
  const taken = cycles.flatMap((end, index) => (index % 2 === 1 ? [end - cycles[index - 1]] : []));
  return taken.toSorted((one, other) => one - other)[taken.length >> 1];
}

for (const call of calls) {
  for (const pages of call.pages) {
    const cells = CPUS.map((cpu) => String(medianOf(cpu, pages, call)).padStart(8));
    console.log(call.name.padEnd(24), String(pages).padStart(4), ...cells);
  }
}
