// Recorded traces: what a row calls one, and how many CPUs it was recorded on.

import { basename } from "node:path";
import { openTrace } from "../trace/read-trace.ts";
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

/** The CPUs of each trace, by path. Bad input where there is no trace, before anything has run. */
export async function cpusOf(
  tracesOrSamples: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const cpus = new Map<string, number>();
  for (const { path } of nameTraces(tracesOrSamples)) {
    const trace = openTrace(path);
    await trace.events.next();
    cpus.set(path, trace.meta.cpus);
    await trace.events.return(undefined);
  }
  return cpus;
}
