import { dirname, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const SOURCES = `${ROOT}src/`;
const BUILT = `${ROOT}dist/`;

const ALL = ["test/**/*.test.ts"];

/**
 * Tests by what they take, which CONTRIBUTING.md says: the longest files first. Folders end in a
 * slash. What stands nowhere here is of the project `unit`, which a change is tried on first: a
 * file that takes seconds must not be in it.
 */
export const PROJECTS: Readonly<Record<string, readonly string[]>> = {
  /** Every order of small scenarios. */
  explore: ["test/explore/"],
  /** Protocols, policies, features and workloads together; what is refused is refused. */
  product: ["test/verify/matrix/", "test/experiment/constraints.test.ts"],
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
    "test/kernel/memory/empty-table.test.ts",
    "test/kernel/memory/full-gather.test.ts",
    "test/kernel/shootdown/kvm-pv.test.ts",
    "test/kernel/shootdown/latr.test.ts",
    "test/machine/invalidation-rules.test.ts",
    "test/machine/manual-control.test.ts",
    "test/machine/manual-entries.test.ts",
    "test/machine/manual-rights.test.ts",
    "test/machine/page-table.test.ts",
    "test/machine/replacement.test.ts",
    "test/machine/twin.test.ts",
    "test/trace/samples.test.ts",
    "test/verify/oracle/",
    "test/verify/programs/",
    "test/verify/vectors/",
    "test/workloads/abis.test.ts",
    "test/workloads/gigantic-pages.test.ts",
    "test/workloads/global-asids.test.ts",
    "test/workloads/huge-pages.test.ts",
    "test/workloads/large-munmap.test.ts",
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

/** One project for each tier, where one is asked for by name. */
export const projects = [
  { extends: true as const, test: { name: "unit", include: ALL, exclude: elsewhere } },
  ...Object.entries(PROJECTS).map(([name, places]) => ({
    extends: true as const,
    test: { name, include: filesOf(places) },
  })),
];

/** Each project has processes of its own, which load and compile the sources anew. */
const isOneAskedFor = process.argv.some((word) => /^--project(=|$)/.test(word));

/** Starts with the tiers whose files take longest, so that none of them is alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const places = Object.values(PROJECTS);
    const tierOf = ({ moduleId }: TestSpecification): number => {
      const file = relative(ROOT, moduleId);
      const tier = places.findIndex((all) => all.some((place) => file.startsWith(place)));
      return tier < 0 ? places.length : tier;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => tierOf(a) - tierOf(b));
  }
}

/** Which tests an edit of a source is for, vitest tells by their imports: of sources, then. */
const followsImports =
  !process.argv.some((word) => /^(--)?run$/.test(word)) ||
  process.argv.some((word) => /^(related|--changed(=.*)?)$/.test(word));

/**
 * Modules of `src/` as they are built, which is what users run. Node loads them as they are, where
 * vitest would compile each in every process, and make calls between them slower.
 */
const builtSources: Plugin = {
  name: "built-sources",
  enforce: "pre",
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith(".")) return;
    const path = resolve(dirname(importer), source);
    if (!path.startsWith(SOURCES)) return;
    const id = path.replace(SOURCES, BUILT).replace(/\.ts$/, ".js");
    return { id, external: true };
  },
};

export default defineConfig({
  plugins: followsImports ? [] : [builtSources],
  test: {
    include: ALL,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // What is built is run as it is.
    server: { deps: { external: [/\/dist\//] } },
    globalSetup: ["test/build/fresh-build.ts"],
    // Nothing imports the machine's source: a change of it is for every test.
    forceRerunTriggers: ["**/package.json/**", "**/vitest.config.*/**", "**/assembly/**"],
    ...(isOneAskedFor && { projects }),
  },
});
