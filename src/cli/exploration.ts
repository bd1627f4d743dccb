// What `shootdown explore` is asked for, and what comes of it: in this thread where all code is of
// the package, and where some is from files in a thread that can be ended.

import { isCodeFile } from "../catalogue/code-file.ts";
import type { ExploreOptions, ExploreProgress } from "../explore/explore.ts";
import type { ExploreJob } from "../explore/explore-job.ts";
import type { Selection } from "../explore/explore-plan.ts";
import type { Recorded } from "../explore/recorded-counterexample.ts";
import type { ReplayedCounterexample } from "../explore/replay-counterexample.ts";
import type { ScenarioResult } from "../explore/scenario-result.ts";

/** What can be sent to a thread. */
export type Asked =
  | {
      readonly kind: "explore";
      readonly selection: Selection;
      readonly options: Omit<ExploreOptions, "signal" | "onProgress" | "values">;
    }
  | { readonly kind: "replay"; readonly recorded: Recorded };

/** What is told on the way. */
export type Told =
  | { readonly kind: "planned"; readonly jobs: number }
  | { readonly kind: "begun"; readonly job: ExploreJob }
  | { readonly kind: "progress"; readonly progress: ExploreProgress }
  | { readonly kind: "result"; readonly result: ScenarioResult }
  | { readonly kind: "replayed"; readonly replayed: ReplayedCounterexample }
  | { readonly kind: "done"; readonly scenarios: readonly ScenarioResult[] };

export type Tell = (told: Told) => void;

/** Files of code that take part. */
export function filesOf(asked: Asked): readonly string[] {
  if (asked.kind === "replay") {
    const { file, files = [] } = asked.recorded;
    return [...new Set([...(file === undefined ? [] : [file]), ...files])];
  }
  const { scenarios = [], policy, protocol, mutation, checkers = [], files = [] } = asked.selection;
  const words = [...scenarios, policy, protocol, mutation, ...checkers, ...files];
  const isFile = (word: unknown): word is string => typeof word === "string" && isCodeFile(word);
  return [...new Set(words.filter(isFile))];
}
