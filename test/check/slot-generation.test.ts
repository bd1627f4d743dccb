// I3 from both sides: slots whose record is fresher than what they hold.

import { expect, test } from "vitest";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../src/kernel/state/shootdown-protocol.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { play as playScene } from "../kernel/scene.ts";
import {
  manyProcesses,
  protectUnderLazy,
  protectUnderOther,
  protectUnderReader,
} from "./scenes.ts";

/** The initiator's slot claims the new generation, and nothing was invalidated. */
const recordsOnly: ShootdownProtocol = {
  ...linux513,
  *switchMm(cpu, next) {
    for (const context of cpu.tlb.contexts) {
      if (context.contextId !== next.contextId) continue;
      context.tlbGeneration = next.tlbGeneration.value;
    }
    yield* linux513.switchMm(cpu, next);
  },
};

test("a slot that is marked as fresh without a flush is reported when it is loaded", () => {
  const { violations } = playScene({ protocol: recordsOnly }, protectUnderOther);
  const [first] = violations;
  expect(first).toMatchObject({ invariant: "I3", mm: "test", cpus: [1, 0] });
  expect(first!.message).toMatch(
    /^CPU 1 has recorded generation (\d+) of test for PCID \d, which .* by CPU 0 at cycle \d+$/,
  );
  // The use comes later.
  const use = violations.find(({ invariant }) => invariant === "I1");
  expect(use!.cycle).toBeGreaterThan(first!.cycle);
});

test("a user PCID that is kept over a flush is reported though nobody uses it any more", () => {
  const kernel = { pti: true, invpcid: true, mutation: "user-pcid-flush-forgotten" } as const;
  const { violations } = playScene({ kernel }, protectUnderLazy);
  expect([...new Set(violations.map(({ invariant }) => invariant))]).toContain("I3");
  expect(violations[0]).toMatchObject({ invariant: "I3" });
});

test("slots that are behind, lazy or put aside claim nothing, and are legal", () => {
  for (const protocol of Object.values(protocols)) {
    const pcid = protocol.name !== "linux-4.8";
    for (const scene of [manyProcesses, protectUnderLazy, protectUnderOther, protectUnderReader]) {
      expect(playScene({ protocol, pcid }, scene).violations).toEqual([]);
    }
  }
});
