// `import ... from "shootdown/explore"`: every interleaving of small scenarios, the package's own
// and those that somebody brings.

export type { Counterexample, ScheduledStep } from "../explore/counterexample.ts";
export type { ExploreJob } from "../explore/explore-job.ts";
export { explore, type ExploreOptions } from "../explore/explore.ts";
export { exploreJob, type ExploreResult, type ScenarioResult } from "../explore/scenario-result.ts";
export type { Selection } from "../explore/explore-plan.ts";
export type { Break } from "../explore/scenarios/breaks.ts";
export type { Scenario, Script } from "../explore/scenarios/scenario.ts";
export { onePage, type Stage } from "../explore/scenarios/stage.ts";
