// Names of recorded traces: what a row calls a trace, and the samples that come with the package.

import { basename } from "node:path";
import { SAMPLE_TRACES } from "../trace/samples.ts";

export interface NamedTrace {
  readonly name: string;
  readonly path: string;
}

/** A trace is called by its file name without endings; by its path where two would be the same. */
export function nameTraces(tracesOrSamples: readonly string[]): readonly NamedTrace[] {
  const named = tracesOrSamples.map((trace) =>
    Object.hasOwn(SAMPLE_TRACES, trace)
      ? { name: trace, path: SAMPLE_TRACES[trace]! }
      : { name: basename(trace).replace(/(\.(txt|gz|trace|log|data))+$/, ""), path: trace },
  );
  return named.map(({ name, path }) => {
    const same = named.some((other) => other.name === name && other.path !== path);
    return { name: same || name === "" ? path : name, path };
  });
}
