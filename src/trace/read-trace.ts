// Reading recorded traces: whole ones that fit in memory, or event by event.

import type { TraceEvent } from "./trace-event.ts";
import { TraceParser, type TraceMeta } from "./parser.ts";
import { traceLines } from "./trace-text.ts";

export interface Trace {
  readonly path: string;
  readonly meta: TraceMeta;
  readonly events: readonly TraceEvent[];
  /** Lines by event name that are of no concern to address spaces. */
  readonly ignored: ReadonlyMap<string, number>;
}

/** The whole trace in memory: about 200 bytes an event. */
export async function readTrace(path: string): Promise<Trace> {
  const parser = new TraceParser(path);
  const events: TraceEvent[] = [];
  for await (const event of eventsFrom(path, parser)) events.push(event);
  return { path, meta: parser.meta, events, ignored: parser.ignored };
}

/** A trace that is being read: the events one by one, in constant memory, whatever its length. */
export interface OpenTrace {
  readonly events: AsyncGenerator<TraceEvent>;
  /** As far as it is known from what was read so far; the header comes before the first event. */
  readonly meta: TraceMeta;
}

export function openTrace(path: string): OpenTrace {
  const parser = new TraceParser(path);
  return {
    events: eventsFrom(path, parser),
    get meta() {
      return parser.meta;
    },
  };
}

/** The events one by one, in constant memory, for traces of any length. */
export const traceEvents = (path: string): AsyncGenerator<TraceEvent> => openTrace(path).events;

async function* eventsFrom(path: string, parser: TraceParser): AsyncGenerator<TraceEvent> {
  for await (const lines of traceLines(path)) {
    for (const line of lines) parser.push(line);
    yield* finished(parser);
  }
  parser.end();
  yield* finished(parser);
}

function* finished(parser: TraceParser): Generator<TraceEvent> {
  for (let event = parser.take(); event !== undefined; event = parser.take()) yield event;
}
