// Carrying out what `shootdown explore` is asked for, in whichever thread.

import { exploreAll } from "../explore/explore.ts";
import { planJobs } from "../explore/explore-plan.ts";
import { replayCounterexample } from "../explore/replay-counterexample.ts";
import type { Asked, Tell } from "./exploration.ts";

export interface Stops {
  readonly signal: AbortSignal;
  /** Asked after each execution. */
  readonly isStopped: () => boolean;
}

export async function carryOut(asked: Asked, tell: Tell, stops: Stops): Promise<void> {
  if (asked.kind === "replay") {
    tell({ kind: "replayed", replayed: await replayCounterexample(asked.recorded) });
    return;
  }
  const { jobs } = await planJobs(asked.selection);
  tell({ kind: "planned", jobs: jobs.length });
  const { signal, isStopped } = stops;
  const { scenarios } = await exploreAll(
    jobs,
    { ...asked.options, signal, onProgress: (progress) => tell({ kind: "progress", progress }) },
    {
      isStopped,
      onBegin: (job) => tell({ kind: "begun", job }),
      onResult: (result) => tell({ kind: "result", result }),
    },
  );
  tell({ kind: "done", scenarios });
}
