import { describe, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";

/** So deep that JSON cannot be written. */
function deep(): unknown {
  let value: unknown = 0;
  for (let level = 0; level < 20_000; level++) value = [value];
  return value;
}

describe("bad input", () => {
  const circular: Record<string, unknown> = {};
  circular["itself"] = circular;

  test.each([
    ["a bigint", 3n, "3"],
    ["an object with a bigint", { seed: 3n }, "an object"],
    ["a circular object", circular, "an object"],
    ["a list too deep to be written", deep(), "a list"],
    ["a number that JSON has no word for", Number.NaN, "NaN"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["nothing", undefined, "missing"],
    ["null", null, "null"],
    ["a text", "x", '"x"'],
  ])("says what %s is, and never fails itself", (_what, value, shown) => {
    expect(new BadInput("path", value, "remedy").message).toBe(`path: ${shown}: remedy`);
  });

  test("shows the beginning of a long value", () => {
    const { message } = new BadInput("path", "x".repeat(1000), "remedy");
    expect(message).toBe(`path: "${"x".repeat(76)}...: remedy`);
  });

  test("spells out what a terminal would obey, wherever it stands", () => {
    const escape = "\u001B[31m\u0007\u202E";
    const { message } = new BadInput(`a${escape}`, `b${escape}`, `c${escape}`);
    const spelled = "\\u001b[31m\\u0007\\u202e";
    expect(message).toBe(`a${spelled}: "b${spelled}": c${spelled}`);
  });
});
