// An exploration in a thread of its own. Code from files may never come back from a loop, end the
// process, or print: the thread is ended from here, and what it prints goes to stderr.

import process from "node:process";
import { Worker } from "node:worker_threads";
import { BadInput, heardBadInput, type ToldBadInput } from "../base/bad-input.ts";
import { blamedOn } from "../catalogue/code-file.ts";
import { type Asked, filesOf, type Tell, type Told } from "./exploration.ts";

export interface ThreadData {
  readonly asked: Asked;
  /** Two numbers: see STOP and BEATS. */
  readonly shared: SharedArrayBuffer;
}

/** Not 0: somebody wants an end. */
export const STOP = 0;
/** Counts executions. */
export const BEATS = 1;

export type Failed =
  ToldBadInput | { readonly kind: "failure"; readonly message: string; readonly stack: string };

/** Between two looks at whether the thread still moves. */
const LOOK_MS = 100;
/** Processor time after which code that has not moved does not come back: loading takes half. */
const TIME_GRACE_MS = 2000;
/** The same for each further thread, which has to load as well. */
const START_MS = 1500;
/** The same after a signal. */
const SIGNAL_GRACE_MS = 1000;
const LOOPS = "its code does not come back: look for a loop without end";

/** On a busy machine time passes in which nothing is done. */
interface Moment {
  readonly wallMs: number;
  /** Of all threads. */
  readonly cpuMs: number;
}

function now(): Moment {
  const { user, system } = process.cpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
}

function isLong(since: Moment, least: Moment): boolean {
  const { wallMs, cpuMs } = now();
  return wallMs - since.wallMs >= least.wallMs && cpuMs - since.cpuMs >= least.cpuMs;
}

/** Returns when the thread has ended, or was ended because of the signal. */
export async function inThread(asked: Asked, tell: Tell, signal: AbortSignal): Promise<void> {
  const thread = new Thread(asked, tell);
  const stop = (): void => thread.stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await thread.ended;
  } finally {
    signal.removeEventListener("abort", stop);
    await thread.terminate();
  }
}

class Thread {
  readonly ended: Promise<void>;
  private readonly worker: Worker;
  private readonly cells: Int32Array;
  private readonly timer: NodeJS.Timeout;
  /** What it was about last. */
  private scenario = "its code";
  private beats = 0;
  private moved = now();
  private stopped: Moment | null = null;
  private resolve!: () => void;
  private reject!: (error: unknown) => void;

  constructor(
    private readonly asked: Asked,
    private readonly tell: Tell,
  ) {
    const shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
    this.cells = new Int32Array(shared);
    this.ended = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const workerData: ThreadData = { asked, shared };
    const url = new URL("./exploration-worker.js", import.meta.url);
    this.worker = new Worker(url, { workerData, stdout: true, stderr: true });
    for (const stream of [this.worker.stdout, this.worker.stderr]) {
      stream.on("data", (text: Buffer) => process.stderr.write(text));
    }
    this.worker.on("message", (told: Told | Failed) => this.take(told));
    this.worker.on("error", (error) => this.reject(this.blamed(error)));
    this.worker.on("exit", () => this.reject(this.blamed(new Error("it ends the process"))));
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    Atomics.store(this.cells, STOP, 1);
    this.worker.postMessage("stop");
    this.stopped = now();
  }

  async terminate(): Promise<void> {
    clearInterval(this.timer);
    await this.worker.terminate();
  }

  private take(told: Told | Failed): void {
    this.moved = now();
    switch (told.kind) {
      case "bad-input":
        return this.reject(heardBadInput(told));
      case "failure":
        return this.reject(Object.assign(new Error(told.message), { stack: told.stack }));
      case "begun":
        this.scenario = told.job.name;
        break;
      case "progress":
        this.scenario = told.progress.scenario;
        break;
    }
    this.tell(told);
    if (told.kind === "done" || told.kind === "replayed") this.resolve();
  }

  /** Whether the time is over, or a signal came, and the code takes no notice. */
  private look(): void {
    const beats = Atomics.load(this.cells, BEATS);
    if (beats !== this.beats) this.moved = now();
    this.beats = beats;
    const { asked, stopped, moved } = this;
    if (stopped !== null && isLong(stopped, { wallMs: SIGNAL_GRACE_MS, cpuMs: SIGNAL_GRACE_MS })) {
      process.stderr.write(`shootdown: ${this.notComingBack().message}\n`);
      this.resolve();
    }
    if (asked.kind !== "explore" || asked.options.seconds === undefined) return;
    const { seconds, workers = 1 } = asked.options;
    const cpuMs = TIME_GRACE_MS + (workers - 1) * START_MS;
    if (isLong(moved, { wallMs: 1000 * seconds + TIME_GRACE_MS, cpuMs })) {
      this.reject(this.notComingBack());
    }
  }

  private notComingBack(): BadInput {
    return new BadInput(filesOf(this.asked).join(", "), this.scenario, LOOPS);
  }

  private blamed(error: unknown): unknown {
    return blamedOn(filesOf(this.asked), this.scenario, error);
  }
}
