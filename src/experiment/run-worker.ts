// One worker thread of the pool: takes a run, answers with its measurement or what went wrong.

import { parentPort } from "node:worker_threads";
import { BadInput, toldBadInput } from "../base/bad-input.ts";
import { simulate } from "./simulate.ts";
import { type Run } from "./configuration.ts";
import type { WorkerAnswer } from "./workers.ts";

parentPort?.on("message", (run: Run) => void answer(run));

async function answer(run: Run): Promise<void> {
  parentPort?.postMessage(await attempt(run));
}

async function attempt(run: Run): Promise<WorkerAnswer> {
  try {
    return { kind: "measurement", measurement: await simulate(run) };
  } catch (error) {
    if (error instanceof BadInput) return toldBadInput(error);
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { kind: "failure", message, stack: stack ?? message };
  }
}
