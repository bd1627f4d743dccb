import { expect, test } from "vitest";
import { formatViolations } from "../../src/report/violations.ts";
import { rowWith, violation } from "../experiment/samples.ts";

const measurement = { violations: [violation] };
const known = rowWith({ configuration: { lazyTlb: "unrefcounted" }, measurement });

test("a violation names rule, message, cycle, mm, CPUs, last operations and its command", () => {
  expect(formatViolations([known])).toBe(
    [
      "I5 broken (kernel code neither dereferences nor passes on a freed mm)  " +
        "munmap, lazyTlb=unrefcounted, 2 cores, as expected",
      "  switch_mm was given an mm that is freed",
      "  at cycle 4000, mm 3, CPUs 0, 1, seed 1",
      "  cpu 0: mmdrop mm 3 -> free mm 3",
      "  cpu 1: switch_mm mm 3 -> mm 5",
      "  again: shootdown run munmap --seed 1",
      "",
    ].join("\n"),
  );
});

test("the same invariant of the same policy is told once, unexpected ones first", () => {
  const text = formatViolations([known, rowWith({ measurement }), known]);
  const headings = text.split("\n").filter((line) => line.includes(" broken "));
  expect(headings).toHaveLength(2);
  expect(headings[0]).toContain("lazyTlb=refcounted");
  expect(headings[0]).not.toContain("as expected");
});

test("nothing broken, nothing said", () => {
  expect(formatViolations([rowWith({})])).toBe("");
});

test("operations that are too many for a line go on below the first", () => {
  const last = Array.from({ length: 12 }, (_, index) => `${1000 + index}: locked user1.mm_count`);
  const violations = [{ ...violation, operations: [{ cpu: 3, last }] }];
  const lines = formatViolations([rowWith({ measurement: { violations } })]).split("\n");
  const told = lines.slice(3, -2);
  expect(told.length).toBeGreaterThan(1);
  expect(told[0]).toMatch(/^ {2}cpu 3: 1000: .* ->$/);
  expect(told[1]).toMatch(/^ {9}1\d+: /);
  expect(Math.max(...told.map((line) => line.length))).toBeLessThanOrEqual(138);
  expect(told.join(" ").match(/mm_count/g)).toHaveLength(12);
});
