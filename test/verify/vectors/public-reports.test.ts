// Public reports of emulators, hypervisors and kernels that had paging wrong, as vectors. The
// answers are the manual's; data/vectors/README.md has the list.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { machineEngine } from "../../../src/machine/engine.ts";
import { describeMachine } from "../../../src/presets/describe.ts";
import { presetNamed } from "../../../src/presets/presets.ts";
import { bootReference } from "../../../src/reference/reference.ts";
import { compareResult } from "../../../src/verify/vectors/compare.ts";
import { parseVector } from "../../../src/verify/vectors/parse.ts";
import { runCase } from "../../../src/verify/vectors/run-vector.ts";
import type { Vector } from "../../../src/verify/vectors/vector.ts";

const FILE = fileURLToPath(new URL("../../../data/vectors/public-reports.jsonl", import.meta.url));

const vectors = readFileSync(FILE, "utf8")
  .trim()
  .split("\n")
  .map((line, index) => parseVector(`${FILE}:${index + 1}`, line) as Vector);

/** They rely on a translation that may be cached: without a TLB the answer is another one. */
const OF_CACHED = [
  "pge-left-on",
  "global-outlives-cr3-until-invlpg",
  "global-outlives-invpcid-3-not-2",
  "valid-to-valid",
  "invlpg-of-the-next-page",
  "valid-to-valid-then-cr3",
  "valid-to-absent",
  "large-page-by-its-upper-half",
];

const name = ({ id, category }: Vector): string => `${category}: ${id}`;

describe.each(["skylake-sp", "rome"])("the machine of %s answers", (cpu) => {
  const boot = machineEngine(describeMachine(presetNamed(cpu), { cores: 1 }));
  test.each(vectors.map((vector) => [name(vector), vector] as const))("%s", (_, vector) => {
    expect(compareResult(vector, runCase(boot, vector))).toEqual([]);
  });
});

test("the reference model answers so too, but for what is cached", () => {
  const differing = vectors.filter(
    (vector) => compareResult(vector, runCase(bootReference, vector)).length > 0,
  );
  expect(differing.map(({ id }) => id)).toEqual(OF_CACHED);
});

test("each has a name of its own, and the page that reported it", () => {
  expect(new Set(vectors.map(name)).size).toBe(vectors.length);
  for (const { source } of vectors) expect(source).toMatch(/^manual; https:\/\/\S+$/);
});
