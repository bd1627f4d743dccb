// A trace replayed by a small kernel, and what was counted; and the same counts as recorded.

import type { Violation } from "../../src/check/violation.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { bootRequestOf } from "../../src/experiment/simulate.ts";
import { Session } from "../../src/clock/session.ts";
import type { KernelEvent, Moment, Observer } from "../../src/kernel/operation/event.ts";
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

export interface Replayed extends Counted {
  readonly events: readonly Seen[];
}

export interface Counted {
  readonly counts: FlushCounts;
  readonly lastKind: KernelEvent["kind"] | undefined;
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

/** Counts as it goes: a long recording has more events than are worth keeping. */
class Tally implements Observer {
  lastKind: KernelEvent["kind"] | undefined;
  private remote = 0;
  private local = 0;
  private switches = 0;

  observe(event: KernelEvent): void {
    this.lastKind = event.kind;
    if (event.kind === "flushReturn" && event.remote) this.remote++;
    else if (event.kind === "cr3Written") this.switches++;
    else if (event.kind === "flushed") {
      if (event.local && event.how !== "skipped") this.local++;
      if (event.how === "full") this.switches--;
    }
  }

  get counts(): FlushCounts {
    const { remote, local, switches } = this;
    return { remote, local, switches };
  }
}

/** A replay whose every event is kept. */
export async function replayed(
  path: string,
  chosen: Partial<Configuration> = {},
): Promise<Replayed> {
  const events: Seen[] = [];
  const observe = (event: KernelEvent, at: Moment): void => void events.push({ ...event, at });
  return { ...(await replayedCounts(path, chosen, [{ observe }])), events };
}

export async function replayedCounts(
  path: string,
  chosen: Partial<Configuration> = {},
  observers: readonly Observer[] = [],
): Promise<Counted> {
  const recording = await Recording.open(path, 2);
  const replay = new Replay(recording);
  const tally = new Tally();
  const session = new Session({
    ...bootRequestOf(completeConfiguration(chosen), {
      idleProgram: replay.idleProgram.bind(replay),
    }),
    checks: true,
    observers: () => [tally, ...observers],
    start: (kernel) => replay.start(kernel),
  });
  let pieces = 1;
  await session.run(() => {
    pieces++;
    return recording.refill();
  });
  session.checkBalance();
  const { counts, lastKind } = tally;
  return { counts, lastKind, violations: session.violations, pieces };
}
