import { defineConfig } from "vitest/config";

/**
 * Tests by what they take, which CONTRIBUTING.md says. Folders end in a slash. What stands nowhere
 * here is of the project `unit`, which a change is tried on first: a file that takes seconds must
 * not be in it.
 */
export const PROJECTS: Readonly<Record<string, readonly string[]>> = {
  /** The built command line, scripts and the package: processes of their own. */
  cli: [
    "test/catalogue/bad-code.test.ts",
    "test/catalogue/code-files.test.ts",
    "test/ci/",
    "test/cli/",
    "test/examples.test.ts",
    "test/experiment/axis-docs.test.ts",
    "test/experiment/protocol-docs.test.ts",
    "test/package.test.ts",
  ],
  /** Every order of small scenarios. */
  explore: ["test/explore/"],
  /** Protocols, policies, features and workloads together; what is refused is refused. */
  product: ["test/verify/matrix/", "test/experiment/constraints.test.ts"],
  /** Whole experiments, long workloads, all recorded vectors, every combination of a table. */
  long: [
    "test/check/lifetime.test.ts",
    "test/check/slot-generation.test.ts",
    "test/experiment/claims-flush.test.ts",
    "test/experiment/claims-switch.test.ts",
    "test/experiment/mutation.test.ts",
    "test/experiment/questions.test.ts",
    "test/experiment/simulate.test.ts",
    "test/kernel/lazy/mutations.test.ts",
    "test/machine/manual-control.test.ts",
    "test/machine/manual-entries.test.ts",
    "test/machine/manual-rights.test.ts",
    "test/machine/replacement.test.ts",
    "test/machine/twin.test.ts",
    "test/trace/samples.test.ts",
    "test/verify/oracle/",
    "test/verify/programs/",
    "test/verify/vectors/",
    "test/workloads/abis.test.ts",
    "test/workloads/gigantic-pages.test.ts",
    "test/workloads/global-asids.test.ts",
    "test/workloads/one-flusher.test.ts",
    "test/workloads/pingpong.test.ts",
    "test/workloads/processes.test.ts",
    "test/workloads/samples.test.ts",
    "test/workloads/workloads.test.ts",
  ],
};

const filesOf = (places: readonly string[]): string[] =>
  places.map((place) => (place.endsWith("/") ? `${place}**/*.test.ts` : place));

const elsewhere = filesOf(Object.values(PROJECTS).flat());

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    isolate: false,
    // What is built is run as it is.
    server: { deps: { external: [/\/dist\//] } },
    globalSetup: ["test/build/fresh-build.ts"],
    // Nothing imports the machine's source: a change of it is for every test.
    forceRerunTriggers: ["**/package.json/**", "**/vitest.config.*/**", "**/assembly/**"],
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: elsewhere } },
      ...Object.entries(PROJECTS).map(([name, places]) => ({
        extends: true as const,
        test: { name, include: filesOf(places) },
      })),
    ],
  },
});
