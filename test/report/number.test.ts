import { describe, expect, test } from "vitest";
import { brief, change, ratio } from "../../src/report/number.ts";

describe("a number at a glance", () => {
  test.each([
    [0, "0"],
    [7, "7"],
    [7.25, "7.3"],
    [99.99, "100"],
    [999, "999"],
    [999.6, "1.0k"],
    [1234, "1.2k"],
    [99_960, "100k"],
    [999_600, "1.0M"],
    [3_400_000, "3.4M"],
    [118e6, "118M"],
    [2.5e9, "2.5G"],
    [-1500, "-1.5k"],
    [Number.NaN, "-"],
    [Number.POSITIVE_INFINITY, "-"],
  ])("%d is %s", (value, text) => {
    expect(brief(value)).toBe(text);
  });

  test("ratios and changes have the digits that matter", () => {
    expect([1.049, 12.34, 118.2, Number.NaN].map(ratio)).toEqual(["1.05", "12.3", "118", "-"]);
    expect([change(100, 88), change(100, 103.4), change(0, 5)]).toEqual(["-12 %", "+3.4 %", "-"]);
  });
});
