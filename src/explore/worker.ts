// One worker thread: takes a job, answers with what its exploration found or what went wrong.

import { parentPort } from "node:worker_threads";
import { BadInput } from "../base/bad-input.ts";
import { carryOut } from "./job.ts";
import type { WorkerAnswer, WorkerJob } from "./run.ts";

parentPort?.on("message", (job: WorkerJob) => void answer(job));

async function answer(job: WorkerJob): Promise<void> {
  parentPort?.postMessage(await attempt(job));
}

async function attempt({ job, options }: WorkerJob): Promise<WorkerAnswer> {
  try {
    return { kind: "result", result: await carryOut(job, options) };
  } catch (error) {
    if (error instanceof BadInput) {
      return { kind: "bad-input", path: error.path, value: error.value, remedy: error.remedy };
    }
    return { kind: "failure", message: error instanceof Error ? error.message : String(error) };
  }
}
