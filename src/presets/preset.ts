// A CPU preset: every number with its source. `describe` turns one into the machine's description.

import type { PageSize, Replacement } from "../machine/description.ts";

/** A number and where it comes from. `estimate` marks one that nobody measured, with the reason. */
export interface Sourced<T> {
  readonly value: T;
  /** The document or measurement; for an estimate, the reasoning. */
  readonly source: string;
  readonly estimate?: true;
}

export interface SourcedTlbArray {
  readonly entries: number;
  readonly ways: number;
  readonly pageSizes: readonly PageSize[];
}
