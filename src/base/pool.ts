// Jobs on worker threads: each worker takes the next job when it has answered the last one. What
// comes out does not depend on how many workers there are or which one was faster.

import { Worker } from "node:worker_threads";

export interface PoolOptions<Job, Answer> {
  /** The worker's module: it takes jobs and posts one answer to each. */
  readonly url: URL;
  readonly workers: number;
  readonly jobs: readonly Job[];
  /** Indices of the jobs, in the order in which they begin; the jobs' own order unless given. */
  readonly order?: readonly number[];
  /** A job was answered. What it throws ends everything. */
  onAnswer(index: number, answer: Answer): void;
  /** What to throw for a job whose worker broke down. */
  onBreakdown(index: number, reason: string): Error;
  readonly signal?: AbortSignal;
}

/** Returns when every job is answered, or the signal was raised. */
export async function inPool<Job, Answer>(options: PoolOptions<Job, Answer>): Promise<void> {
  const { url, jobs, order = [...jobs.keys()], signal } = options;
  if (jobs.length === 0) return;
  const queue = [...order];
  const count = Math.min(options.workers, jobs.length);
  const workers = Array.from({ length: count }, () => new Worker(url));
  let answered = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener("abort", () => resolve(), { once: true });
      const employ = (worker: Worker): void => {
        let index = queue.shift();
        const next = (): void => {
          if (index !== undefined) worker.postMessage(jobs[index]);
        };
        worker.on("message", (answer: Answer) => {
          try {
            options.onAnswer(index!, answer);
          } catch (error) {
            return reject(error);
          }
          if (++answered === jobs.length) return resolve();
          index = queue.shift();
          next();
        });
        const broken = (reason: string): void => {
          if (index !== undefined) reject(options.onBreakdown(index, reason));
        };
        worker.on("error", (error) => broken(`the worker broke down: ${error.message}`));
        worker.on("exit", (code) => broken(`the worker ended with code ${code}`));
        next();
      };
      workers.forEach(employ);
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
