// Lines in, events out: header, clock, the forms of a line, system calls paired with their results,
// missing switches added. Holds back no more than HOLD_LIMIT events.

import { basename } from "node:path";
import { BadInput } from "../base/bad-input.ts";
import { parseCall, enteredCall, returnedCall, withResult } from "./call.ts";
import { TraceClock } from "./trace-clock.ts";
import type { CallEvent, TraceEvent, TraceOrigin } from "./trace-event.ts";
import { parseEvent } from "./trace-fields.ts";
import { HoldingQueue, type QueuedEvent } from "./holding-queue.ts";
import { SwitchCompleter } from "./idle-switches.ts";
import { parseTraceLine, type TraceLine } from "./trace-line.ts";

const FORMS = "text of tracefs `trace`, of `trace-cmd report -t`, or of `perf script --ns`";

/** Lines that say something about the recording, not about an event. */
const REMARK = /^\s*$|^#|^cpus=\d+$|^version = |^CPU \d+ is empty$|^trace-cmd: /;
const LOST = /^CPU:\d+ \[LOST (?:(\d+) )?EVENTS\]$/;

export interface TraceMeta {
  /** What was recorded: the recorder's name for it, else the file's. */
  readonly workload: string;
  /** Cycles per microsecond of `cycle`. */
  readonly tscMhz: number;
  readonly cpus: number;
  /** Events that the kernel dropped for want of buffer space, as far as the file says. */
  readonly lostEvents: number;
}

export class TraceParser {
  /** Lines by event name that are of no concern here. */
  readonly ignored = new Map<string, number>();
  private readonly queue = new HoldingQueue();
  private readonly completer = new SwitchCompleter(this.queue);
  private readonly openCalls = new Map<number, { call: string; queued: QueuedEvent }>();
  private readonly interruptDepths = new Map<number, number>();
  private readonly clock = new TraceClock();
  private header: Readonly<Record<string, string>> = {};
  private headerCpus = 0;
  private lost = 0;
  private highestCpu = -1;
  private lineCount = 0;
  private eventLines = 0;

  constructor(private readonly path: string) {}

  get meta(): TraceMeta {
    return {
      workload: this.header["workload"] ?? basename(this.path).replace(/(\.txt)?(\.gz)?$/, ""),
      tscMhz: this.clock.tscMhz,
      cpus: Math.max(Number(this.header["cpus"] ?? this.headerCpus), this.highestCpu + 1),
      lostEvents: Number(this.header["lost"] ?? 0) + this.lost,
    };
  }

  /** One line of the file, in order, without its end. */
  push(text: string): void {
    this.lineCount++;
    const line = parseTraceLine(text);
    if (line === undefined) return this.remark(text);
    this.eventLines++;
    if (line.cpu > this.highestCpu) this.highestCpu = line.cpu;
    const origin = this.originOf(line);
    const entered = enteredCall(line.name);
    const returned = returnedCall(line.name);
    if (entered !== undefined) this.enter(entered, text, line, origin);
    else if (returned !== undefined) this.return(returned, text, line, origin);
    else this.plain(text, line, origin);
  }

  /** After the last line. */
  end(): void {
    if (this.eventLines === 0) throw new BadInput(this.path, "no events", `give it ${FORMS}`);
    this.queue.releaseAll();
  }

  /** The next finished event; undefined if more lines are needed first. */
  take(): TraceEvent | undefined {
    return this.queue.take();
  }

  private remark(text: string): void {
    const lost = LOST.exec(text);
    if (lost !== null) this.lost += Number(lost[1] ?? 1);
    else if (!REMARK.test(text)) throw this.damaged(text, `expected ${FORMS}`);
    if (text.startsWith("# meta: ")) {
      this.header = Object.fromEntries(
        text.split(" ").map((pair) => pair.split("=", 2) as [string, string]),
      );
      this.clock.useHeader(this.header);
    }
    const cpus = /^cpus=(\d+)$|^#.*#P:(\d+)$/.exec(text);
    if (cpus !== null) this.headerCpus = Number(cpus[1] ?? cpus[2]);
  }

  private originOf(line: TraceLine): TraceOrigin {
    return {
      cycle: this.clock.cycleOf(line.timestamp),
      cpu: line.cpu,
      pid: line.pid,
      comm: line.comm,
      line: this.lineCount,
      context: this.inInterrupt(line) ? "interrupt" : "task",
    };
  }

  /** By the line's flags; without them between the entry and exit of an interrupt vector. */
  private inInterrupt({ interrupt, name, cpu }: TraceLine): boolean {
    if (interrupt !== undefined) return interrupt;
    const depth = this.interruptDepths.get(cpu) ?? 0;
    if (VECTOR_ENTRY.test(name)) this.interruptDepths.set(cpu, depth + 1);
    else if (VECTOR_EXIT.test(name)) this.interruptDepths.set(cpu, Math.max(0, depth - 1));
    return depth > 0;
  }

  private plain(text: string, line: TraceLine, origin: TraceOrigin): void {
    const event = parseEvent(line, origin);
    if (event === undefined) throw this.damaged(text, `the fields of ${line.name} are damaged`);
    if (event === "unknown") return this.ignore(line.name, origin);
    if (event.kind === "exit") this.openCalls.delete(event.pid);
    this.completer.append(event);
  }

  private enter(call: string, text: string, line: TraceLine, origin: TraceOrigin): void {
    this.abandonCall(line.pid);
    const event = parseCall(call, line.fields, origin);
    if (event === undefined) throw this.damaged(text, `the arguments of ${call} are damaged`);
    if (event === "unknown") return this.ignore(line.name, origin);
    const queued = this.completer.append(event);
    queued.holds++;
    this.openCalls.set(line.pid, { call, queued });
  }

  private return(call: string, text: string, line: TraceLine, origin: TraceOrigin): void {
    const open = this.openCalls.get(line.pid);
    if (open?.call !== call) return this.ignore(line.name, origin);
    this.completer.sight(origin);
    this.openCalls.delete(line.pid);
    const complete = withResult(open.queued.event as CallEvent, line.fields);
    if (complete === undefined) throw this.damaged(text, `the result of ${call} is damaged`);
    open.queued.event = complete;
    open.queued.holds--;
  }

  /** A call whose task enters another one or exits has not returned and will not. */
  private abandonCall(pid: number): void {
    const open = this.openCalls.get(pid);
    if (open === undefined) return;
    open.queued.holds--;
    this.openCalls.delete(pid);
  }

  private ignore(name: string, origin: TraceOrigin): void {
    this.completer.sight(origin);
    this.ignored.set(name, (this.ignored.get(name) ?? 0) + 1);
  }

  private damaged(text: string, remedy: string): BadInput {
    return new BadInput(`${this.path}:${this.lineCount}`, text.trim(), remedy);
  }
}

const VECTOR_ENTRY =
  /^(call_function|call_function_single|reschedule|local_timer|irq_work|x86_platform_ipi)_entry$/;
const VECTOR_EXIT =
  /^(call_function|call_function_single|reschedule|local_timer|irq_work|x86_platform_ipi)_exit$/;
