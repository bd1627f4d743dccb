// Who runs where. Some kernels log no event from the idle task of a CPU other than 0, so a switch from
// idle is missing, and recordings of one program leave out the switches between other programs. This
// pass follows every CPU's current task and adds the switches without which the next event could not
// be. Afterwards an event's pid is its CPU's current task, but for context "switch" (event.ts).

import type { SwitchEvent, TraceEvent } from "./event.ts";
import type { HoldingQueue, QueuedEvent } from "./holding-queue.ts";

const IDLE_PID = 0;

interface CpuState {
  currentPid: number;
  currentComm: string;
  /** The CPU's latest event, if that was a switch. */
  lastSwitch: SwitchEvent | undefined;
  /** The latest sign that the CPU was idle. */
  lastIdle: QueuedEvent | undefined;
  /** Events held until it is seen whether the CPU left idle right after them. */
  held: QueuedEvent[];
}

/** A task made runnable on a CPU and not yet seen running. */
interface Woken {
  readonly cpu: number;
  readonly queued: QueuedEvent;
}

export class SwitchCompleter {
  private readonly cpus = new Map<number, CpuState>();
  private readonly woken = new Map<number, Woken>();

  constructor(private readonly queue: HoldingQueue) {}

  /** Appends `event`, behind the switches that it shows to be missing. */
  append(event: TraceEvent): QueuedEvent {
    const cpu = this.cpus.get(event.cpu) ?? this.newCpu(event);
    const leaving = isInsideSwitch(event, cpu);
    if (event.pid !== cpu.currentPid && !leaving) this.correct(cpu, event);
    const queued = this.queue.append(leaving ? { ...event, context: "switch" } : event);
    if (cpu.currentPid === IDLE_PID) cpu.lastIdle = queued;
    cpu.lastSwitch = event.kind === "switch" ? event : undefined;
    if (event.kind === "switch") this.switched(cpu, event, queued);
    if (event.kind === "wakeup") this.readied(event.wokenPid, event.targetCpu, queued);
    if (event.kind === "migrate") this.readied(event.movedPid, event.toCpu, queued);
    return queued;
  }

  private newCpu(event: TraceEvent): CpuState {
    const state: CpuState = {
      currentPid: event.pid,
      currentComm: event.comm,
      lastSwitch: undefined,
      lastIdle: undefined,
      held: [],
    };
    this.cpus.set(event.cpu, state);
    return state;
  }

  /** The CPU runs `event.pid`, which no switch has announced. */
  private correct(cpu: CpuState, event: TraceEvent): void {
    const renamed = event.kind === "exec" && event.oldPid === cpu.currentPid;
    if (!renamed) this.insertSwitch(cpu, event);
    this.runs(cpu, event.pid, event.comm);
  }

  private insertSwitch(cpu: CpuState, event: TraceEvent): void {
    const anchor = this.lastSignBefore(cpu, event);
    const inferred: SwitchEvent = {
      kind: "switch",
      cycle: anchor === undefined ? event.cycle : anchor.event.cycle,
      cpu: event.cpu,
      pid: cpu.currentPid,
      comm: cpu.currentComm,
      line: event.line,
      context: "task",
      prevPid: cpu.currentPid,
      prevComm: cpu.currentComm,
      prevState: "?",
      nextPid: event.pid,
      nextComm: event.comm,
      inferred: true,
    };
    if (anchor === undefined) this.queue.append(inferred);
    else this.queue.insertAfter(anchor, inferred);
  }

  /** A CPU leaves idle as soon as a task is ready: right after its wakeup or the last idle event. */
  private lastSignBefore(cpu: CpuState, event: TraceEvent): QueuedEvent | undefined {
    const woken = this.woken.get(event.pid);
    if (cpu.currentPid !== IDLE_PID || woken?.cpu !== event.cpu) return undefined;
    const idle = cpu.lastIdle;
    const sign = idle === undefined || idle.order < woken.queued.order ? woken.queued : idle;
    return sign.left ? undefined : sign;
  }

  private switched(cpu: CpuState, event: SwitchEvent, queued: QueuedEvent): void {
    this.runs(cpu, event.nextPid, event.nextComm);
    if (event.nextPid !== IDLE_PID) return;
    cpu.lastIdle = queued;
    for (const woken of this.woken.values()) {
      if (woken.cpu === event.cpu) return hold(cpu, queued);
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

  private readied(pid: number, targetCpu: number, queued: QueuedEvent): void {
    this.woken.set(pid, { cpu: targetCpu, queued });
    const target = this.cpus.get(targetCpu);
    if (target?.currentPid === IDLE_PID) hold(target, queued);
  }
}

function hold(cpu: CpuState, queued: QueuedEvent): void {
  queued.holds++;
  cpu.held.push(queued);
}

/** Linux logs the CR3 write of a switch after sched_switch, while `current` is still the old task. */
const isInsideSwitch = (event: TraceEvent, cpu: CpuState): boolean =>
  event.kind === "flush" &&
  event.reason === 0 &&
  event.pid === cpu.lastSwitch?.prevPid &&
  event.pid !== cpu.currentPid;
