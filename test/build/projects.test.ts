// The tiers of the tests: every file is in one, and each starts on a fresh build.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import config, { PROJECTS, projects } from "../../vitest.config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const places = Object.values(PROJECTS).flat();

describe("the projects", () => {
  test("name files and folders that there are", () => {
    expect(places.filter((place) => !existsSync(join(ROOT, place)))).toEqual([]);
    expect(places.length).toBeGreaterThan(4);
  });

  test("have no file in common", () => {
    for (const place of places) {
      expect(places.filter((other) => place.startsWith(other))).toEqual([place]);
    }
  });

  test("all start on a fresh build", () => {
    expect(config.test?.globalSetup).toEqual(["test/build/fresh-build.ts"]);
    expect(projects).toHaveLength(1 + Object.keys(PROJECTS).length);
    for (const project of projects) expect(project).toMatchObject({ extends: true });
  });
});
