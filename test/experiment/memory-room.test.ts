// How many pages a run may ask for: as many as mmap has addresses for.

import { expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { conflictIn } from "../../src/experiment/constraints.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { parseSetting } from "./read.ts";

const reasonFor = (given: Partial<Configuration>): string | undefined =>
  conflictIn(completeConfiguration(given))?.reason;

test("4 GiB of 4K pages may be asked for, and not more", () => {
  expect(parseSetting("pages=1048576").values).toEqual([1_048_576]);
  expect(() => parseSetting("pages=1048577")).toThrow("1 to 1048576");
});

test("as many on all cores as 1 TiB has room for", () => {
  expect(reasonFor({ pages: 1_048_576, cores: 255 })).toBeUndefined();
  expect(reasonFor({ pages: 1_048_576, cores: 256 })).toBe(
    "1048576 pages for each of 256 cores are more than mmap finds addresses for, 1 TiB",
  );
  expect(reasonFor({ pages: 262_000, cores: 2, pageSize: "2M" })).toBeUndefined();
  expect(reasonFor({ pages: 262_144, cores: 2, pageSize: "2M" })).toMatch(/1 TiB$/);
});
