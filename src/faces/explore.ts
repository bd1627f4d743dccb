// `import ... from "shootdown/explore"`: every interleaving of small scenarios, the package's own
// and those that somebody brings.

export type { Counterexample, ScheduledStep } from "../explore/counterexample.ts";
export {
  carryOut as exploreJob,
  type ExploreResult,
  type Job as ExploreJob,
  type ScenarioResult,
} from "../explore/explore-job.ts";
export { explore, type RunExploreOptions as ExploreOptions } from "../explore/explore.ts";
export type { Selection } from "../explore/explore-plan.ts";
export type { Break } from "../explore/scenarios/breaks.ts";
export type { Scenario, Script } from "../explore/scenarios/scenario.ts";
export { onePage, type Stage } from "../explore/scenarios/stage.ts";
