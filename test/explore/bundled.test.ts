// What a bundler and a minifier leave of the names of functions: all that schedules speak of.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExploreJob } from "../../src/explore/explore-job.ts";
import { exploreJob } from "../../src/explore/scenario-result.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const KERNEL = { policy: "refcounted", protocol: "linux-6.18", memory: "sc" } as const;

/** Tasks that exit, guests and hot-unplug: many rooms of the kernel. */
const JOBS: readonly ExploreJob[] = [
  { ...KERNEL, name: "exit-while-lazy", policy: "unrefcounted", mutation: "none" },
  { ...KERNEL, name: "exit-while-lazy", mutation: "freed-tables-false" },
  {
    ...KERNEL,
    name: "protect-against-entry",
    protocol: "kvm-pv",
    mutation: "pv-flush-ignores-entry",
  },
  { ...KERNEL, name: "unplug-while-lazy", mutation: "unplug-keeps-lazy-mm" },
];

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bundled-"));
  mkdirSync(join(folder, "dist/explore"), { recursive: true });
  cpSync(join(ROOT, "dist/machine.wasm"), join(folder, "dist/machine.wasm"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});

afterAll(() => rmSync(folder, { recursive: true }));

test("a minified bundle tells the same schedules, with the same functions", async () => {
  const input = join(ROOT, "dist/explore/scenario-result.js");
  const bundle = await rolldown({ input, platform: "node", external: [/^node:/, "jiti"] });
  const file = join(folder, "dist/explore/bundle.js");
  const { output } = await bundle.write({ file, format: "esm", minify: true });
  expect(output[0].code).not.toMatch(/function\*flushRange|function\* ?exitMm/);
  const bundled = (await import(pathToFileURL(file).href)) as { exploreJob: typeof exploreJob };
  for (const job of JOBS) {
    const [here, there] = [await exploreJob(job, {}), await bundled.exploreJob(job, {})];
    expect(here.violations, job.name).toHaveLength(1);
    expect(there, job.name).toEqual(here);
    const functions = here.violations[0]!.schedule.flatMap((step) => step.functions);
    expect(new Set(functions).size, job.name).toBeGreaterThan(3);
  }
}, 60_000);
