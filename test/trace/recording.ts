// Builds recordings for tests: lines of the kernel's own form, and the events read from them.

import type { TraceEvent, TraceEventKind } from "../../src/trace/trace-event.ts";
import { TraceParser } from "../../src/trace/parser.ts";

export interface Spot {
  readonly pid: number;
  readonly cpu?: number;
  readonly flags?: string;
  readonly comm?: string;
}

/** A recording in the making: every line is 10 cycles after the one before. */
export class Recording {
  readonly lines: string[] = [];

  add({ pid, cpu = 0, flags = ".....", comm }: Spot, message: string): this {
    const name = comm ?? (pid === 0 ? "<idle>" : "task");
    const stamp = 1_000_000 + 10 * this.lines.length;
    const padded = String(cpu).padStart(3, "0");
    this.lines.push(`  ${name}-${pid}  (  ${pid}) [${padded}] ${flags} ${stamp}: ${message}`);
    return this;
  }

  switch(cpu: number, prevPid: number, nextPid: number, prevState = "S"): this {
    return this.add(
      { pid: prevPid, cpu, flags: "d..2." },
      `sched_switch: prev_comm=a prev_pid=${prevPid} prev_prio=120 prev_state=${prevState} ` +
        `==> next_comm=b next_pid=${nextPid} next_prio=120`,
    );
  }

  wakeup(from: Spot, wokenPid: number, targetCpu: number): this {
    const target = String(targetCpu).padStart(3, "0");
    return this.add(from, `sched_wakeup: comm=b pid=${wokenPid} prio=120 target_cpu=${target}`);
  }

  fault(spot: Spot, address = "0x7f0000001000"): this {
    return this.add(spot, `page_fault_user: address=${address} ip=0x401000 error_code=0x6`);
  }

  events(): readonly TraceEvent[] {
    return eventsOf(this.lines);
  }
}

export function eventsOf(lines: readonly string[], path = "test.txt"): readonly TraceEvent[] {
  const parser = new TraceParser(path);
  for (const line of lines) parser.push(line);
  parser.end();
  return taken(parser);
}

/** What the parser can give out by now. */
export function taken(parser: TraceParser): readonly TraceEvent[] {
  const events: TraceEvent[] = [];
  for (let event = parser.take(); event !== undefined; event = parser.take()) events.push(event);
  return events;
}

export const ofKind = <K extends TraceEventKind>(
  events: readonly TraceEvent[],
  kind: K,
): readonly Extract<TraceEvent, { kind: K }>[] =>
  events.filter((event): event is Extract<TraceEvent, { kind: K }> => event.kind === kind);
