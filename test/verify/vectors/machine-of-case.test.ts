// The machine against recorded vectors, with the TLBs of an Intel and of an AMD preset.

import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { machineEngine } from "../../../src/machine/engine.ts";
import { describeMachine } from "../../../src/presets/describe.ts";
import { presetNamed } from "../../../src/presets/presets.ts";
import { readVectors } from "../../../src/verify/vectors/read-vectors.ts";
import { verifyVectors } from "../../../src/verify/vectors/verify-vectors.ts";

const VECTORS = fileURLToPath(
  new URL("../../../data/vectors/vectors-dev.jsonl.gz", import.meta.url),
);

/** Every third: `test/cli/verify.test.ts` runs them all, on another machine. */
async function* someVectors(from: number) {
  let index = 0;
  for await (const vector of readVectors(VECTORS)) if (index++ % 3 === from) yield vector;
}

test.each(["skylake-sp", "rome"])("the machine of %s answers as recorded", async (name) => {
  const boot = machineEngine(describeMachine(presetNamed(name), { cores: 1 }));
  const vectors = someVectors(name === "rome" ? 0 : 1);
  const { cases, failed, failures } = await verifyVectors(boot, vectors);
  expect(failures).toEqual([]);
  expect(failed).toBe(0);
  expect(cases).toBeGreaterThan(6000);
});
