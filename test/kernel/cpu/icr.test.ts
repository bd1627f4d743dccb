// How many writes of the ICR it takes to interrupt a set of CPUs, and what they cost the sender.

import { describe, expect, test } from "vitest";
import { clearCpu } from "../../../src/kernel/cpu/cpumask.ts";
import type { KernelOptions } from "../../../src/kernel/state/kernel-options.ts";
import { type KernelCode, work } from "../../../src/kernel/operation/operation.ts";
import { callMany, waitForCalls } from "../../../src/kernel/cpu/smp.ts";
import { describeMachine } from "../../../src/presets/describe.ts";
import { presetNamed } from "../../../src/presets/presets.ts";
import { play, type Script } from "../lab.ts";
import { eventsOf } from "../scene.ts";

type Options = Pick<KernelOptions, "x2apic" | "ipiShorthand">;

const busy: Script = function* () {
  yield* work({ name: "test", cycles: 100_000 });
};

/** The targets of each ICR write by which CPU 0 calls `targets`: those sent at one moment. */
function writesOf(
  { cores = 40, kernel = {} }: { cores?: number; kernel?: Options },
  targets: readonly number[],
  prepare: (cpu: Parameters<Script>[0]) => KernelCode = function* () {},
): number[][] {
  const caller: Script = function* (cpu) {
    yield* prepare(cpu);
    yield* waitForCalls(yield* callMany(cpu, targets, function* () {}));
  };
  const others = Array.from({ length: cores - 1 }, () => busy);
  const writes = new Map<number, number[]>();
  for (const { target, at } of eventsOf(play({ kernel }, caller, ...others), "ipiSent")) {
    writes.set(at.cycle, [...(writes.get(at.cycle) ?? []), target]);
  }
  return [...writes.values()];
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const EVERYBODY = upTo(40);
const OTHERS = EVERYBODY.slice(1);

describe("the CPUs that one ICR write interrupts", () => {
  test("are those of a cluster of 16, unless told otherwise", () => {
    const clusters = [OTHERS.slice(0, 15), OTHERS.slice(15, 31), OTHERS.slice(31)];
    expect(writesOf({}, EVERYBODY)).toEqual(clusters);
    expect(writesOf({}, [3, 5, 31])).toEqual([[3, 5], [31]]);
  });

  test("are one with physical destinations, x2APIC or not", () => {
    const one = [[3], [5], [31]];
    expect(writesOf({ kernel: { x2apic: "physical" } }, [3, 5, 31])).toEqual(one);
    expect(writesOf({ kernel: { x2apic: "off" } }, [3, 5, 31])).toEqual(one);
  });

  test("are all on an xAPIC with up to 8 CPUs, by the flat model", () => {
    const kernel = { x2apic: "off" } as const;
    expect(writesOf({ cores: 8, kernel }, [1, 4, 7])).toEqual([[1, 4, 7]]);
    expect(writesOf({ cores: 9, kernel }, [1, 4, 7])).toEqual([[1], [4], [7]]);
  });

  test.each(["cluster", "physical", "off"] as const)(
    "are all others by shorthand on %s, if all others are wanted",
    (x2apic) => {
      const kernel = { x2apic, ipiShorthand: true };
      expect(writesOf({ kernel }, EVERYBODY)).toEqual([OTHERS]);
      const apart = x2apic === "cluster" ? 3 : 38;
      expect(writesOf({ kernel }, EVERYBODY.slice(0, -1))).toHaveLength(apart);
    },
  );

  test("are all others that are online", () => {
    const kernel = { ipiShorthand: true };
    const online = OTHERS.filter((id) => id !== 20);
    const unplugged = (cpu: Parameters<Script>[0]): KernelCode =>
      clearCpu(cpu.kernel.onlineMask, 20);
    expect(writesOf({ kernel }, EVERYBODY, unplugged)).toEqual([online]);
  });
});

test("an ICR write behind MMIO looks at the delivery status first, and costs more", () => {
  const preset = presetNamed("skylake-sp");
  const costOf = (x2apic: boolean): number =>
    describeMachine(preset, { cores: 2, x2apic }).instruction.writeIcr;
  const { writeIcr, xapic } = preset.instruction;
  expect(costOf(true)).toBe(writeIcr.value);
  expect(costOf(false)).toBe(xapic.readIcr.value + xapic.writeIcr.value);
  expect(costOf(false)).toBeGreaterThan(costOf(true));
});

test("how an interrupt is sent does not change how long it is under way", () => {
  const deliveryOf = (x2apic: boolean) =>
    describeMachine(presetNamed("rome"), { cores: 2, x2apic }).ipiDeliveryCycles;
  expect(deliveryOf(false)).toEqual(deliveryOf(true));
});
