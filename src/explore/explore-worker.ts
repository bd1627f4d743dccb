// One worker thread: takes parts of explorations, answers with what was found or what went wrong.

import { parentPort } from "node:worker_threads";
import { BadInput } from "../base/bad-input.ts";
import { Exploration } from "./execution/scenario-system.ts";
import { limitsOf } from "./search/explorer.ts";
import { blamed, type Job, playedBy, subjectOf } from "./explore-job.ts";
import { explorePart } from "./search/part.ts";
import type { WorkerAnswer, WorkerJob } from "./explore.ts";

/** More than are under way at once, as a rule. */
const KEPT = 4;

/** By job, the latest last: parts of one exploration come one after the other. */
const explorations = new Map<string, Exploration>();

parentPort?.on("message", (job: WorkerJob) => {
  void answerTo(job).then((answer) => parentPort?.postMessage(answer));
});

async function answerTo({ job, part, bounds }: WorkerJob): Promise<WorkerAnswer> {
  try {
    const exploration = await explorationOf(job);
    const { locations } = exploration.executor;
    const result = explorePart(exploration, locations, part, limitsOf(bounds));
    return { kind: "result", result };
  } catch (cause) {
    const error = blamed(job, cause);
    if (error instanceof BadInput) {
      return { kind: "bad-input", path: error.path, value: error.value, remedy: error.remedy };
    }
    return { kind: "failure", message: error instanceof Error ? error.message : String(error) };
  }
}

async function explorationOf(job: Job): Promise<Exploration> {
  const key = JSON.stringify(job);
  const exploration = explorations.get(key) ?? (await newExploration(job));
  explorations.delete(key);
  explorations.set(key, exploration);
  const [oldest] = explorations.keys();
  if (explorations.size > KEPT) explorations.delete(oldest!);
  return exploration;
}

async function newExploration(job: Job): Promise<Exploration> {
  const { scenario, catalogue } = await playedBy(job);
  return new Exploration(scenario, subjectOf(job, catalogue));
}
