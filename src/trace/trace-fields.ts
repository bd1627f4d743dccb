// The event behind a line: from the name and the printed fields to a TraceEvent. A name that is not
// here is of no concern to address spaces; fields that do not parse are damage.

import { virtualAddress } from "../base/address.ts";
import type { TraceEvent, TraceOrigin } from "./trace-event.ts";
import type { TraceLine } from "./trace-line.ts";

type FieldParser = (fields: string, origin: TraceOrigin) => TraceEvent | undefined;

/** "unknown": not an event of interest. undefined: one of interest, but its fields are damaged. */
export function parseEvent(
  line: TraceLine,
  origin: TraceOrigin,
): TraceEvent | "unknown" | undefined {
  const parse = PARSERS.get(line.name);
  if (parse === undefined) return "unknown";
  if (line.name === "csd_queue_cpu" && !line.fields.includes("func=flush_tlb_func")) {
    return "unknown";
  }
  return parse(line.fields, origin);
}

// Linux prints the first form; trace-cmd and perf with libtraceevent's plugins the second.
const SWITCH = new RegExp(
  /^prev_comm=(.*?) prev_pid=(\d+) prev_prio=-?\d+ prev_state=(\S+) ==> /.source +
    /next_comm=(.*?) next_pid=(\d+) next_prio=/.source,
);
const SWITCH_SHORT = /^(.*?):(\d+) \[-?\d+\] (\S+) ==> (.*?):(\d+) \[-?\d+\]/;
const WAKEUP = /^comm=(.*?) pid=(\d+) prio=.* target_cpu=(\d+)$/;
const WAKEUP_SHORT = /^(.*?):(\d+) \[-?\d+\].* CPU:(\d+)$/;
const MIGRATE = /pid=(\d+) prio=-?\d+ orig_cpu=(\d+) dest_cpu=(\d+)$/;
const NEW_TASK = /^pid=(\d+) comm=.* clone_flags=([0-9a-f]+) /;
const EXEC = /^filename=(.*) pid=(\d+) old_pid=(\d+)$/;
const EXIT = /^comm=.* pid=\d+ prio=-?\d+(?: group_dead=(true|false))?$/;
const FLUSH = /^pages[:=](-?\d+) reason[:=].*\((\d+)\)$/;
const FAULT = /^address=(0x[0-9a-f]+) ip=\S+ error_code=(0x[0-9a-f]+)$/;
const FLUSH_REQUEST = /^cpu=(\d+) /;

const CLONE_VM = 0x100;
const CLONE_VFORK = 0x4000;
const CLONE_THREAD = 0x10000;

const parseSwitch: FieldParser = (fields, origin) => {
  const match = SWITCH.exec(fields) ?? SWITCH_SHORT.exec(fields);
  if (match === null) return undefined;
  return {
    ...origin,
    kind: "switch",
    prevComm: match[1]!,
    prevPid: Number(match[2]),
    prevState: match[3]!,
    nextComm: match[4]!,
    nextPid: Number(match[5]),
    inferred: false,
  };
};

const parseWakeup: FieldParser = (fields, origin) => {
  const match = WAKEUP.exec(fields) ?? WAKEUP_SHORT.exec(fields);
  if (match === null) return undefined;
  return {
    ...origin,
    kind: "wakeup",
    wokenComm: match[1]!,
    wokenPid: Number(match[2]),
    targetCpu: Number(match[3]),
  };
};

const parseMigrate: FieldParser = (fields, origin) => {
  const match = MIGRATE.exec(fields);
  if (match === null) return undefined;
  const [movedPid, fromCpu, toCpu] = match.slice(1).map(Number) as [number, number, number];
  return { ...origin, kind: "migrate", movedPid, fromCpu, toCpu };
};

const parseNewTask: FieldParser = (fields, origin) => {
  const match = NEW_TASK.exec(fields);
  if (match === null) return undefined;
  const flags = Number.parseInt(match[2]!, 16);
  return {
    ...origin,
    kind: "fork",
    childPid: Number(match[1]),
    parentPid: origin.pid,
    sharesMm: (flags & CLONE_VM) !== 0,
    vfork: (flags & CLONE_VFORK) !== 0,
    thread: (flags & CLONE_THREAD) !== 0,
  };
};

const parseExec: FieldParser = (fields, origin) => {
  const match = EXEC.exec(fields);
  if (match === null) return undefined;
  return { ...origin, kind: "exec", filename: match[1]!, oldPid: Number(match[3]) };
};

const parseExit: FieldParser = (fields, origin) => {
  const match = EXIT.exec(fields);
  if (match === null) return undefined;
  const groupDead = match[1] === undefined ? undefined : match[1] === "true";
  return { ...origin, kind: "exit", groupDead };
};

const parseFlush: FieldParser = (fields, origin) => {
  const match = FLUSH.exec(fields);
  if (match === null) return undefined;
  return { ...origin, kind: "flush", pages: Number(match[1]), reason: Number(match[2]) };
};

const parseFault =
  (user: boolean): FieldParser =>
  (fields, origin) => {
    const match = FAULT.exec(fields);
    if (match === null) return undefined;
    const address = virtualAddress(BigInt(match[1]!));
    return { ...origin, kind: "pageFault", address, errorCode: Number(match[2]), user };
  };

const parseFlushRequest: FieldParser = (fields, origin) => {
  const match = FLUSH_REQUEST.exec(fields);
  if (match === null) return undefined;
  return { ...origin, kind: "flushRequest", targetCpu: Number(match[1]) };
};

const PARSERS: ReadonlyMap<string, FieldParser> = new Map([
  ["sched_switch", parseSwitch],
  ["sched_wakeup", parseWakeup],
  ["sched_wakeup_new", parseWakeup],
  ["sched_migrate_task", parseMigrate],
  ["task_newtask", parseNewTask],
  ["sched_process_exec", parseExec],
  ["sched_process_exit", parseExit],
  ["tlb_flush", parseFlush],
  ["page_fault_user", parseFault(true)],
  ["page_fault_kernel", parseFault(false)],
  ["csd_queue_cpu", parseFlushRequest],
]);
