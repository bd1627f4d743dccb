// What is multiplied, and that nothing of it is lost.

import { describe, expect, test } from "vitest";
import { AXIS_NAMES } from "../../../src/experiment/axes.ts";
import { conflictIn } from "../../../src/experiment/constraints.ts";
import { judge } from "../../../src/verify/matrix/judge.ts";
import {
  atSmallSize,
  everyKernel,
  familiesOfLot,
  FIXED_AXES,
  KERNEL_AXES,
  kernelFamilies,
  QUIET_AXES,
  SIDE_AXES,
  valuesOf,
} from "../../../src/verify/matrix/product.ts";
import { simulate } from "../../../src/experiment/simulate.ts";
import { PRESET_NAMES } from "../../../src/presets/presets.ts";

describe("the product", () => {
  test("varies every axis but those of size and topology", () => {
    const varied = ["cpu", ...KERNEL_AXES, ...QUIET_AXES, ...SIDE_AXES];
    expect([...varied, ...FIXED_AXES].toSorted()).toEqual(AXIS_NAMES.toSorted());
  });

  test("has each kernel that some CPU can run, once", () => {
    const keyOf = (configuration: object): string =>
      JSON.stringify({ ...configuration, cpu: "", rounds: 0 });
    const keys = kernelFamilies().flat().map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    const onAnyCpu = everyKernel().flatMap((kernel) =>
      [true, false]
        .map((invpcid) => atSmallSize({ ...kernel, invpcid }))
        .filter((configuration) => conflictIn(configuration) === undefined),
    );
    expect(new Set(keys)).toEqual(new Set(onAnyCpu.map(keyOf)));
    expect(PRESET_NAMES.filter((cpu) => !onAnyCpu.some((one) => one.cpu === cpu))).toEqual([]);
  });

  test("has in a lot every value of the other axes", () => {
    const lot = familiesOfLot({ cpu: "skylake-sp", protocol: "freebsd", pcid: true }).flat();
    const axes = [...SIDE_AXES, ...QUIET_AXES];
    expect(lot).toHaveLength(axes.reduce((all, axis) => all * valuesOf(axis).length, 1));
    expect(new Set(lot.map(({ idle }) => idle)).size).toBe(4);
  });
});

describe("a judgement", () => {
  const kernel = { cpu: "skylake-sp", protocol: "linux-5.13", lazyTlb: "refcounted" } as const;

  test("names the command of what fails, and what was found", async () => {
    const wrong = atSmallSize({ ...kernel, protocol: "broadcast", lazyTlb: "null-prev" });
    const { passed, failures } = await judge([wrong], "munmap", 1);
    expect(passed).toBe(0);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(/^shootdown run munmap --set .* --seed 1: I4, .*; ok is expected$/);
  });

  test("passes a policy that is known to be wrong where it shows, were it on one CPU", async () => {
    const alone = {
      ...atSmallSize({ ...kernel, lazyTlb: "unrefcounted", idle: "poll" }),
      cores: 1,
    };
    expect(await judge([alone], "munmap", 1)).toEqual({ passed: 1, failures: [] });
  });

  test("fails a policy that is expected to break where nothing shows", async () => {
    const { passed, failures } = await judge([atSmallSize(kernel)], "munmap", 1, () => "violation");
    expect(passed).toBe(0);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(/^shootdown run munmap .*: no violation; violation is expected$/);
  });

  test("counts what runs as another did: INVPCID is not looked at without isolation", async () => {
    const pair = [true, false].map((invpcid) => atSmallSize({ ...kernel, invpcid }));
    expect(await judge(pair, "munmap", 1)).toEqual({ passed: 2, failures: [] });
    const looked = async (pti: boolean): Promise<boolean> => {
      const names: string[] = [];
      const configuration = atSmallSize({ ...kernel, pti });
      const onOption = (name: string) => void names.push(name);
      await simulate({ configuration, workload: "munmap", seed: 1 }, { onOption });
      return names.includes("invpcid");
    };
    expect([await looked(false), await looked(true)]).toEqual([false, true]);
    const [first, second] = await Promise.all(
      pair.map((configuration) => simulate({ configuration, workload: "munmap", seed: 1 })),
    );
    expect(first).toEqual(second);
  });
});
