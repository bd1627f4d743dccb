// The recordings that come with the package; data/traces/README.md says where they are from.

import { fileURLToPath } from "node:url";

export const SAMPLE_TRACE_NAMES = [
  "madvise-free",
  "messaging-threads",
  "vfork-exec",
  "lazy-dontneed",
] as const;

export type SampleTraceName = (typeof SAMPLE_TRACE_NAMES)[number];

/** From src/trace and from dist/trace alike. */
const pathOf = (name: SampleTraceName): string =>
  fileURLToPath(new URL(`../../data/traces/${name}.txt.gz`, import.meta.url));

export const SAMPLE_TRACES: Readonly<Record<string, string>> = {
  "madvise-free": pathOf("madvise-free"),
  "messaging-threads": pathOf("messaging-threads"),
  "vfork-exec": pathOf("vfork-exec"),
  "lazy-dontneed": pathOf("lazy-dontneed"),
};
