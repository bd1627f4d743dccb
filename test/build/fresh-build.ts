// vitest's global setup: no test starts, nor starts again under --watch, on a stale dist/.

import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { refreshBuild } from "./stale-build.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export function setup(project: TestProject): void {
  refreshBuild(ROOT);
  project.onTestsRerun(async () => refreshBuild(ROOT));
}
