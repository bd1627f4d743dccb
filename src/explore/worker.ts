// One worker thread: takes parts of explorations, answers with what was found or what went wrong.

import { parentPort } from "node:worker_threads";
import { Exploration } from "./exploration.ts";
import { limitsOf } from "./explore.ts";
import { type Job, subjectOf } from "./job.ts";
import { explorePart } from "./part.ts";
import type { WorkerAnswer, WorkerJob } from "./run.ts";
import { scenarioNamed } from "./scenarios.ts";

/** More than are under way at once, as a rule. */
const KEPT = 4;

/** By job, the latest last: parts of one exploration come one after the other. */
const explorations = new Map<string, Exploration>();

parentPort?.on("message", (job: WorkerJob) => parentPort?.postMessage(answerTo(job)));

function answerTo({ job, part, bounds }: WorkerJob): WorkerAnswer {
  try {
    const exploration = explorationOf(job);
    const { locations } = exploration.executor;
    const result = explorePart(exploration, locations, part, limitsOf(bounds));
    return { kind: "result", result };
  } catch (error) {
    return { kind: "failure", message: error instanceof Error ? error.message : String(error) };
  }
}

function explorationOf(job: Job): Exploration {
  const key = JSON.stringify(job);
  const exploration =
    explorations.get(key) ?? new Exploration(scenarioNamed(job.name), subjectOf(job));
  explorations.delete(key);
  explorations.set(key, exploration);
  const [oldest] = explorations.keys();
  if (explorations.size > KEPT) explorations.delete(oldest!);
  return exploration;
}
