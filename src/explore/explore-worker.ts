// One worker thread: takes parts of explorations, answers with what was found or what went wrong.

import { parentPort } from "node:worker_threads";
import { BadInput, toldBadInput } from "../base/bad-input.ts";
import { ScenarioSystem } from "./execution/scenario-system.ts";
import { limitsOf } from "./search/bounds.ts";
import { untilOver } from "./search/explorer.ts";
import { exploreAndControl } from "./control.ts";
import {
  afreshBy,
  blamed,
  type ExploreJob,
  type Play,
  playedBy,
  subjectOf,
} from "./explore-job.ts";
import type { WorkerAnswer, WorkerJob } from "./explore-pool.ts";

/** More than are under way at once, as a rule. */
const KEPT = 4;

/** By job, the latest last: parts of one exploration come one after the other. */
const systems = new Map<string, ScenarioSystem>();

parentPort?.on("message", (job: WorkerJob) => {
  void answerTo(job).then((answer) => parentPort?.postMessage(answer));
});

async function answerTo({ job, part, bounds }: WorkerJob): Promise<WorkerAnswer> {
  const isEnough = untilOver(bounds.seconds ?? Infinity);
  try {
    const system = await systemOf(job);
    const play: Play = (code) => playedBy(job, code);
    const result = await exploreAndControl(system, part, limitsOf(bounds), {
      afresh: afreshBy(job, play),
      isEnough,
    });
    return { kind: "result", result };
  } catch (cause) {
    const error = blamed(job, cause);
    if (error instanceof BadInput) return toldBadInput(error);
    return { kind: "failure", message: error instanceof Error ? error.message : String(error) };
  }
}

async function systemOf(job: ExploreJob): Promise<ScenarioSystem> {
  const key = JSON.stringify(job);
  const system = systems.get(key) ?? (await newSystem(job));
  systems.delete(key);
  systems.set(key, system);
  const [oldest] = systems.keys();
  if (systems.size > KEPT) systems.delete(oldest!);
  return system;
}

async function newSystem(job: ExploreJob): Promise<ScenarioSystem> {
  const { scenario, catalogue } = await playedBy(job);
  return new ScenarioSystem(scenario, subjectOf(job, catalogue));
}
