// The events of a recorded trace that a replay acts on, in their order, read ahead in pieces: a
// trace of any length goes through in constant memory.

import { BadInput } from "../../base/bad-input.ts";
import type { TraceEvent } from "../../trace/trace-event.ts";
import { type OpenTrace, openTrace } from "../../trace/read-trace.ts";
import type { TraceMeta } from "../../trace/parser.ts";
import { VforkChildren } from "./vfork-children.ts";

/** What happens again: who runs where, and what changes address spaces or touches memory. */
export type Action = Exclude<TraceEvent, { kind: "wakeup" | "migrate" | "flush" | "flushRequest" }>;

const PIECE = 4096;
const IDLE_PID = 0;

export class Recording {
  private readonly actions: Action[] = [];
  /** The index of actions[0] in the whole recording. */
  private first = 0;
  isComplete = false;
  private readonly begunCpus = new Set<number>();
  private readonly vforkChildren = new VforkChildren();

  private constructor(
    private readonly path: string,
    private readonly cpuCount: number,
    private readonly source: OpenTrace,
  ) {}

  get meta(): TraceMeta {
    return this.source.meta;
  }

  /**
   * Opens a trace to replay on `cpuCount` CPUs and reads its first piece. Bad input where it is
   * none, or ran on more.
   */
  static async open(path: string, cpuCount: number): Promise<Recording> {
    const recording = new Recording(path, cpuCount, openTrace(path));
    await recording.refill();
    recording.requireCpus(recording.meta.cpus);
    return recording;
  }

  /** The action with that index; undefined: not read yet, or past the end (see isComplete). */
  at(index: number): Action | undefined {
    return this.actions[index - this.first];
  }

  /** Forgets what lies before `index`. */
  dropBefore(index: number): void {
    if (index - this.first < PIECE) return;
    this.actions.splice(0, index - this.first);
    this.first = index;
  }

  /** Reads the next piece. */
  async refill(): Promise<void> {
    for (let count = 0; count < PIECE; count++) {
      const { value, done } = await this.source.events.next();
      if (done === true) {
        this.isComplete = true;
        return;
      }
      const event = this.vforkChildren.place(value);
      if (isAction(event)) this.append(event);
    }
  }

  /**
   * A CPU starts idle here; where the recording finds it running a task, it switches to that first.
   */
  private append(action: Action): void {
    if (!this.begunCpus.has(action.cpu)) {
      this.begunCpus.add(action.cpu);
      if (action.pid !== IDLE_PID) this.actions.push(switchFromIdle(action));
    }
    this.requireCpus(action.cpu + 1);
    this.actions.push(action);
  }

  private requireCpus(count: number): void {
    if (count <= this.cpuCount) return;
    const remedy = `the trace ran on ${count} CPUs: set cores to at least that`;
    throw new BadInput(this.path, `cores=${this.cpuCount}`, remedy);
  }
}

const PASSED_OVER = new Set<TraceEvent["kind"]>(["wakeup", "migrate", "flush", "flushRequest"]);
const isAction = (event: TraceEvent | null): event is Action =>
  event !== null && !PASSED_OVER.has(event.kind);

const switchFromIdle = (first: Action): Action => ({
  kind: "switch",
  cycle: first.cycle,
  cpu: first.cpu,
  pid: IDLE_PID,
  comm: "swapper",
  line: first.line,
  context: "task",
  prevPid: IDLE_PID,
  prevComm: "swapper",
  prevState: "R",
  nextPid: first.pid,
  nextComm: first.comm,
  inferred: true,
});
