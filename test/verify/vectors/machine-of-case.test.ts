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

test.each(["skylake-sp", "rome"])("the machine of %s answers as recorded", async (name) => {
  const boot = machineEngine(describeMachine(presetNamed(name), { cores: 1 }));
  const { cases, failed, failures } = await verifyVectors(boot, readVectors(VECTORS));
  expect(failures).toEqual([]);
  expect({ failed, isEmpty: cases === 0 }).toEqual({ failed: 0, isEmpty: false });
});
