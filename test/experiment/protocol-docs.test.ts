import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/protocol-docs.js", import.meta.url));

test("docs/protocols says what goes with what, and lists every mutation", () => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, "--check"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});
