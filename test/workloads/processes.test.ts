// fork-exit, kthread and server: what their processes and threads do.

import { expect, test } from "vitest";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { type Outcome, type Seen, eventsOf } from "../kernel/scene.ts";
import { measuredPart, playWorkload } from "./runs.ts";

const ofKind = <K extends Seen["kind"]>(events: readonly Seen[], kind: K) =>
  events.filter((event): event is Extract<Seen, { kind: K }> => event.kind === kind);

const namesMade = (outcome: Outcome): readonly string[] =>
  eventsOf(outcome, "mmCreated").map(({ mm }) => mm.name);

test("fork-exit: each child writes to its pages, and every one is copied and flushed", () => {
  const outcome = playWorkload("fork-exit", { cores: 2, rounds: 4, pages: 6 });
  const flushes = ofKind(measuredPart(outcome), "flushReturn").filter(({ mm }) =>
    /^child\d+\.0$/.test(mm.name),
  );
  const single = flushes.filter(({ range }) => range.end - range.start === 1);
  expect(single).toHaveLength(2 * 6); // on either CPU the first child copies six pages
  expect(flushes).toHaveLength(2 * 6 + 2); // and its exit flushes what is left
});

test("fork-exit: every second child executes a program in an mm of its own", () => {
  const outcome = playWorkload("fork-exit", { cores: 2, rounds: 4 });
  const children = namesMade(outcome).filter((name) => /^child\d+\.\d$/.test(name));
  const executed = namesMade(outcome).filter((name) => name.endsWith(".exec"));
  expect(children).toHaveLength(8);
  expect(executed.map((name) => name.replace(".exec", ""))).toEqual(
    expect.arrayContaining(children.filter((name) => /\.[13]$/.test(name))),
  );
  expect(executed).toHaveLength(4);
});

test("fork-exit: a child runs on the neighbour of its parent's CPU", () => {
  const outcome = playWorkload("fork-exit", { cores: 3, rounds: 1 });
  for (const { to, at } of eventsOf(outcome, "switched")) {
    if (!/^child\d+\.0$/.test(to.name)) continue;
    const parent = Number(to.parent!.name.replace("parent", ""));
    expect(at.cpu).toBe((parent + 1) % 3);
  }
});

test("fork-exit: the frames of all that exited are given back", () => {
  const inUse = (rounds: number): number =>
    playWorkload("fork-exit", { cores: 2, rounds, policy: lazyPolicies.eager }).kernel.frames.inUse;
  expect(inUse(6)).toBe(inUse(2));
});

test("kthread: every second piece of work is done in the user's mm", () => {
  for (const policy of Object.values(lazyPolicies)) {
    const outcome = playWorkload("kthread", { cores: 2, rounds: 4, policy });
    const { tasks } = outcome.kernel;
    const threads = tasks.filter(({ isKernelThread }) => isKernelThread);
    expect(threads).toHaveLength(2);
    expect(threads.every(({ mm, state }) => mm === null && state === "dead")).toBe(true);
    const used = ofKind(measuredPart(outcome), "passed").filter(
      ({ callee, at }) =>
        callee === "switch_mm_irqs_off" &&
        outcome.kernel.cpus[at.cpu] !== undefined &&
        isInside(outcome, at, "kthread"),
    );
    expect(used.some(({ mm }) => mm.name.startsWith("user"))).toBe(true);
    expect(used.some(({ mm }) => mm.name === "init_mm")).toBe(policy.name === "eager");
  }
});

/** Whether a thread of that name ran on the CPU at that moment. */
function isInside(outcome: Outcome, at: Seen["at"], name: string): boolean {
  const last = eventsOf(outcome, "switched").findLast(
    (event) => event.at.cpu === at.cpu && event.at.cycle <= at.cycle,
  );
  return last !== undefined && last.to.name.startsWith(name);
}

test("kthread: user task and kernel thread take turns without going through idle", () => {
  const outcome = playWorkload("kthread", { cores: 2, rounds: 6 });
  const switches = ofKind(measuredPart(outcome), "switched");
  const turns = switches.filter(({ to }) => to.name.startsWith("kthread"));
  expect(turns).toHaveLength(2 * 6);
  expect(turns.every(({ from }) => from.name.startsWith("user"))).toBe(true);
});

test("server: front processes of four threads share an mm, back processes have their own", () => {
  const { kernel, ...outcome } = playWorkload("server", { cores: 8, rounds: 2 });
  const fronts = kernel.tasks.filter(({ name }) => name.startsWith("front"));
  const backs = kernel.tasks.filter(({ name }) => name.startsWith("back"));
  expect([fronts.length, backs.length]).toEqual([8, 8]);
  const flushed = ofKind(measuredPart({ kernel, ...outcome }), "flushBegin");
  const mms = new Set(flushed.map(({ mm }) => mm.name));
  expect([...mms].sort()).toEqual(["front0", "front4"]);
  expect(flushed).toHaveLength(8 * 2);
});

test("server: a CPU goes from its front process to its back process and back", () => {
  const switches = ofKind(measuredPart(playWorkload("server", { cores: 4 })), "switched");
  const to = (name: string): number =>
    switches.filter((one) => one.to.name.startsWith(name)).length;
  expect(to("front")).toBeGreaterThanOrEqual(4 * 4);
  expect(to("back")).toBeGreaterThanOrEqual(4 * 4);
});
