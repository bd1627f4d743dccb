// Jobs on worker threads: each worker takes the next job when it has answered the last one, and
// answers may bring new jobs.

import process from "node:process";
import { Worker } from "node:worker_threads";

export interface PoolOptions<Job, Answer> {
  /** The worker's module: it takes messages and posts one answer to each. */
  readonly url: URL;
  readonly workers: number;
  /** The job to begin next; none: not before another answer has come, or never. */
  next(): Job | undefined;
  /** What a worker is sent. */
  messageOf(job: Job): unknown;
  /** A job was answered. What it throws ends everything. */
  onAnswer(job: Job, answer: Answer): void;
  /** A job's worker broke down; others go on. What it throws ends everything. */
  onBreakdown(job: Job, reason: string): void;
  readonly signal?: AbortSignal;
}

/** Returns when every job is answered, or the signal was raised. */
export async function inPool<Job, Answer>(options: PoolOptions<Job, Answer>): Promise<void> {
  if (options.signal?.aborted === true) return;
  const workers: Worker[] = [];
  const idle: Worker[] = [];
  const underWay = new Map<Worker, Job>();
  try {
    await new Promise<void>((resolve, reject) => {
      options.signal?.addEventListener("abort", () => resolve(), { once: true });
      const finish = (worker: Worker, tell: (job: Job) => void): void => {
        const job = underWay.get(worker);
        if (job === undefined) return;
        underWay.delete(worker);
        try {
          tell(job);
          employ();
        } catch (error) {
          reject(error);
        }
      };
      const start = (): Worker => {
        // What a command prints is its result; what else is printed must not get into it.
        const worker = new Worker(options.url, { stdout: true });
        worker.stdout.on("data", (text: Buffer) => process.stderr.write(text));
        const broken = (reason: string): void =>
          finish(worker, (job) => options.onBreakdown(job, reason));
        worker.on("message", (answer: Answer) =>
          finish(worker, (job) => {
            idle.push(worker);
            options.onAnswer(job, answer);
          }),
        );
        worker.on("error", (error) => broken(`the worker broke down: ${error.message}`));
        worker.on("exit", (code) => broken(`the worker ended with code ${code}`));
        workers.push(worker);
        return worker;
      };
      const employ = (): void => {
        while (underWay.size < options.workers) {
          const job = options.next();
          if (job === undefined) break;
          const worker = idle.pop() ?? start();
          underWay.set(worker, job);
          worker.postMessage(options.messageOf(job));
        }
        if (underWay.size === 0) resolve();
      };
      employ();
    });
  } finally {
    underWay.clear(); // what is ended from here has not broken down
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
