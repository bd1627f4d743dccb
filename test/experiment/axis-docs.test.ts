import { BUILT_IN } from "../../src/catalogue/catalogue.ts";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { AXES, AXIS_NAMES, completeConfiguration } from "../../src/experiment/axes.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/axis-docs.js", import.meta.url));

test("README.md and docs/commands/run.md list the axes as the code has them", () => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, "--check"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});

describe("what is said about an axis", () => {
  test.each(AXIS_NAMES)("%s: a summary that fits a cell, without the default", (axis) => {
    const { summary } = AXES[axis];
    expect(summary.length).toBeLessThanOrEqual(90);
    expect(summary).not.toMatch(/unless given|default/);
  });

  test.each(AXIS_NAMES)("%s: a default that is a value of the axis, or a rule in words", (axis) => {
    const { defaultText, read } = AXES[axis];
    const isRule = /^true where |^the preset's$|^mwait, or halt in a guest /;
    if (/ /.test(defaultText)) return expect(defaultText).toMatch(isRule);
    const taken = completeConfiguration({})[axis];
    expect(read(defaultText, BUILT_IN)).toBeDefined();
    if (taken !== undefined) expect(read(defaultText, BUILT_IN)).toBe(taken);
  });
});
