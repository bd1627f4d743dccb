// A trace replayed by a small kernel, and what was counted; and the same counts as recorded.

import type { Violation } from "../../src/check/violation.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { bootRequestOf } from "../../src/experiment/simulate.ts";
import { Session } from "../../src/clock/session.ts";
import type { KernelEvent, Moment } from "../../src/kernel/operation/event.ts";
import { traceEvents } from "../../src/trace/read-trace.ts";
import { Recording } from "../../src/workloads/replay/recording.ts";
import { Replay } from "../../src/workloads/replay/replay.ts";

export interface FlushCounts {
  /** A multi-CPU flush starts: tlb_flush of reason 4. */
  readonly remote: number;
  /** A flush carried out on the CPU that asked for it: reason 3. */
  readonly local: number;
  /** CR3 written to go to another mm, or to come back to one that has changed: reason 0. */
  readonly switches: number;
}

export type Seen = KernelEvent & { readonly at: Moment };

export interface Replayed {
  readonly events: readonly Seen[];
  readonly counts: FlushCounts;
  readonly violations: readonly Violation[];
  /** How often the clock ran dry and more was read. */
  readonly pieces: number;
}

export async function recordedCounts(path: string): Promise<FlushCounts & { execs: number }> {
  const byReason = [0, 0, 0, 0, 0, 0];
  let execs = 0;
  for await (const event of traceEvents(path)) {
    if (event.kind === "flush") byReason[event.reason]!++;
    if (event.kind === "exec") execs++;
  }
  return { remote: byReason[4]!, local: byReason[3]!, switches: byReason[0]!, execs };
}

export async function replayed(
  path: string,
  chosen: Partial<Configuration> = {},
): Promise<Replayed> {
  const recording = await Recording.open(path, 2);
  const replay = new Replay(recording);
  const events: Seen[] = [];
  const session = new Session({
    ...bootRequestOf(completeConfiguration(chosen), {
      idleProgram: replay.idleProgram.bind(replay),
    }),
    checks: true,
    observers: () => [{ observe: (event, at) => void events.push({ ...event, at }) }],
    start: (kernel) => replay.start(kernel),
  });
  let pieces = 1;
  await session.run(() => {
    pieces++;
    return recording.refill();
  });
  session.checkBalance();
  return { events, counts: countsOf(events), violations: session.violations, pieces };
}

function countsOf(events: readonly Seen[]): FlushCounts {
  const count = (matches: (event: Seen) => boolean): number => events.filter(matches).length;
  const isWhole = (event: Seen): boolean => event.kind === "flushed" && event.how === "full";
  return {
    remote: count((event) => event.kind === "flushReturn" && event.remote),
    local: count((event) => event.kind === "flushed" && event.local && event.how !== "skipped"),
    switches: count((event) => event.kind === "cr3Written") - count(isWhole),
  };
}
