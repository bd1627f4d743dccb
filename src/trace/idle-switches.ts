// Who runs where. Some kernels log no event from the idle task of a CPU other than 0, so a switch
// from idle is missing, and recordings of one program leave out switches between other programs.
// This pass follows every CPU's current task and adds the switches without which the next line
// could not be. Afterwards an event's pid is its CPU's current task, but for context "switch"
// (event.ts).

import type { SwitchEvent, TraceEvent, TraceOrigin } from "./trace-event.ts";
import type { HoldingQueue, QueuedEvent } from "./holding-queue.ts";

const IDLE_PID = 0;

interface CpuState {
  currentPid: number;
  currentComm: string;
  /** The CPU's latest event, if that was a switch. */
  lastSwitch: SwitchEvent | undefined;
  /** The latest sign that the CPU was idle. */
  lastIdle: Sign | undefined;
  /** Events held until it is seen whether the CPU left idle right after them. */
  held: QueuedEvent[];
}

/** Something that happened at `cycle`, with `queued` the last event in the queue by then. */
interface Sign {
  readonly queued: QueuedEvent;
  readonly cycle: number;
}

/** A task made runnable on a CPU and not yet seen running. */
interface Woken {
  readonly cpu: number;
  readonly sign: Sign;
}

export class SwitchCompleter {
  private readonly cpus = new Map<number, CpuState>();
  private readonly woken = new Map<number, Woken>();

  constructor(private readonly queue: HoldingQueue) {}

  /** Appends `event`, behind the switches that it shows to be missing. */
  append(event: TraceEvent): QueuedEvent {
    const cpu = this.cpus.get(event.cpu) ?? this.newCpu(event);
    const leaving = isInsideSwitch(event, cpu);
    const renamed = event.kind === "exec" && event.oldPid === cpu.currentPid;
    if (renamed) this.runs(cpu, event.pid, event.comm);
    else if (!leaving) this.correct(cpu, event);
    const queued = this.queue.append(leaving ? { ...event, context: "switch" } : event);
    const sign = { queued, cycle: event.cycle };
    if (cpu.currentPid === IDLE_PID) cpu.lastIdle = sign;
    cpu.lastSwitch = event.kind === "switch" ? event : undefined;
    if (event.kind === "switch") this.switched(cpu, event, sign);
    if (event.kind === "wakeup") this.readied(event.wokenPid, event.targetCpu, sign);
    if (event.kind === "migrate") this.readied(event.movedPid, event.toCpu, sign);
    return queued;
  }

  /** A line that becomes no event still shows which task its CPU runs. */
  sight(origin: TraceOrigin): void {
    const cpu = this.cpus.get(origin.cpu) ?? this.newCpu(origin);
    this.correct(cpu, origin);
    cpu.lastSwitch = undefined;
    const queued = this.queue.tail;
    if (cpu.currentPid === IDLE_PID && queued !== undefined) {
      cpu.lastIdle = { queued, cycle: origin.cycle };
    }
  }

  private newCpu(first: TraceOrigin): CpuState {
    const state: CpuState = {
      currentPid: first.pid,
      currentComm: first.comm,
      lastSwitch: undefined,
      lastIdle: undefined,
      held: [],
    };
    this.cpus.set(first.cpu, state);
    return state;
  }

  /** If the CPU runs a task that no switch has announced, that switch is missing. */
  private correct(cpu: CpuState, seen: TraceOrigin): void {
    if (seen.pid === cpu.currentPid) return;
    this.insertSwitch(cpu, seen);
    this.runs(cpu, seen.pid, seen.comm);
  }

  private insertSwitch(cpu: CpuState, seen: TraceOrigin): void {
    const sign = this.lastSignBefore(cpu, seen);
    const inferred: SwitchEvent = {
      kind: "switch",
      cycle: sign?.cycle ?? seen.cycle,
      cpu: seen.cpu,
      pid: cpu.currentPid,
      comm: cpu.currentComm,
      line: seen.line,
      context: "task",
      prevPid: cpu.currentPid,
      prevComm: cpu.currentComm,
      prevState: "?",
      nextPid: seen.pid,
      nextComm: seen.comm,
      inferred: true,
    };
    if (sign === undefined) this.queue.append(inferred);
    else this.queue.insertAfter(sign.queued, inferred);
  }

  /** A CPU leaves idle once a task is ready: right after its wakeup or the last idle event. */
  private lastSignBefore(cpu: CpuState, seen: TraceOrigin): Sign | undefined {
    const woken = this.woken.get(seen.pid);
    if (cpu.currentPid !== IDLE_PID || woken?.cpu !== seen.cpu) return undefined;
    const idle = cpu.lastIdle;
    const sign = idle === undefined || idle.cycle < woken.sign.cycle ? woken.sign : idle;
    return sign.queued.left ? undefined : sign;
  }

  private switched(cpu: CpuState, event: SwitchEvent, sign: Sign): void {
    this.runs(cpu, event.nextPid, event.nextComm);
    if (event.nextPid !== IDLE_PID) return;
    cpu.lastIdle = sign;
    for (const woken of this.woken.values()) {
      if (woken.cpu === event.cpu) return hold(cpu, sign.queued);
    }
  }

  private runs(cpu: CpuState, pid: number, comm: string): void {
    cpu.currentPid = pid;
    cpu.currentComm = comm;
    this.woken.delete(pid);
    if (pid === IDLE_PID) return;
    for (const queued of cpu.held) queued.holds--;
    cpu.held.length = 0;
  }

  private readied(pid: number, targetCpu: number, sign: Sign): void {
    this.woken.set(pid, { cpu: targetCpu, sign });
    const target = this.cpus.get(targetCpu);
    if (target?.currentPid === IDLE_PID) hold(target, sign.queued);
  }
}

function hold(cpu: CpuState, queued: QueuedEvent): void {
  queued.holds++;
  cpu.held.push(queued);
}

/** Linux logs a switch's CR3 write after sched_switch, while `current` is the old task still. */
const isInsideSwitch = (event: TraceEvent, cpu: CpuState): boolean =>
  event.kind === "flush" &&
  event.reason === 0 &&
  event.pid === cpu.lastSwitch?.prevPid &&
  event.pid !== cpu.currentPid;
