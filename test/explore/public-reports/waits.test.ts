// Public reports of shootdowns that never end: the target spins, with interrupts off, for a lock
// that the initiator holds. docs/public-reports.md has where they are from.

import { describe, expect, test } from "vitest";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import { onePage } from "../../../src/explore/scenarios/stage.ts";
import { callMany, onEachCpu, waitForCalls } from "../../../src/kernel/cpu/smp.ts";
import { spinLock, spinUnlock } from "../../../src/kernel/locking/lock.ts";
import { flushRange } from "../../../src/kernel/memory/flush.ts";
import type { Cell } from "../../../src/kernel/operation/cell.ts";
import {
  restoreInterrupts,
  saveInterrupts,
} from "../../../src/kernel/operation/interrupt-operation.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
} from "../../../src/kernel/operation/operation.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { verdict } from "../verdict.ts";
import { twoThreads } from "./two-threads.ts";

type Shootdown = (cpu: Cpu, mm: Mm) => KernelCode<unknown>;
type Spins = (cpu: Cpu, lock: Cell<number>) => KernelCode;

const nothing = function* (): KernelCode {};

function* underLock(lock: Cell<number>, does: KernelCode<unknown>): KernelCode {
  yield* spinLock(lock);
  yield* does;
  yield* spinUnlock(lock);
}

const masked: Spins = function* (_cpu, lock) {
  yield* disableInterrupts();
  yield* underLock(lock, nothing());
  yield* enableInterrupts();
};

const saved: Spins = function* (cpu, lock) {
  const flags = yield* saveInterrupts(cpu);
  yield* underLock(lock, nothing());
  yield* restoreInterrupts(cpu, flags);
};

const open: Spins = (_cpu, lock) => underLock(lock, nothing());

const SHOOTDOWNS: Readonly<Record<string, Shootdown>> = {
  "a flush": (cpu, mm) => flushRange(cpu, { mm, range: onePage(), freedTables: false }),
  "a call": function* (cpu) {
    yield* waitForCalls(yield* callMany(cpu, [1], nothing));
  },
  "a call of every CPU": (cpu) => onEachCpu(cpu, nothing),
};

describe.each(Object.entries(SHOOTDOWNS))("%s under a spinlock", (_name, shootdown) => {
  const against = (spins: Spins): Scenario =>
    twoThreads(({ mm, word }) => [
      (cpu) => underLock(word, shootdown(cpu, mm)),
      (cpu) => spins(cpu, word),
    ]);

  test.each([masked, saved])(
    "never ends where its target spins with interrupts off",
    async (by) => {
      expect(await verdict(against(by))).toMatch(
        /^I10: no CPU can go on: CPU 0 \(thread0\) on .*, CPU 1 \(thread1\) on word$/,
      );
    },
  );

  test("ends where its target spins with interrupts on", async () => {
    expect(await verdict(against(open))).toBe("clean");
  });
});

test("a call never ends whose handler spins for a lock that the called CPU holds", async () => {
  const inHandler = twoThreads(({ word }) => [
    function* (cpu) {
      yield* waitForCalls(yield* callMany(cpu, [1], () => underLock(word, nothing())));
    },
    (cpu) => open(cpu, word),
  ]);
  expect(await verdict(inHandler)).toMatch(/^I10: no CPU can go on: /);
});
