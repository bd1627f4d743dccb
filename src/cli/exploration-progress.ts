// How an exploration goes, on stderr: one line that changes where somebody watches, else a line now
// and then, as a log can hold it.

import { brief } from "../report/number.ts";
import type { ExploreProgress } from "../explore/explore.ts";
import { note } from "./output.ts";

/** Without a terminal: the first line comes so early that nobody thinks that it hangs. */
const FIRST_MS = 2000;
const EACH_MS = 5000;

export interface ProgressLine {
  update(progress: ExploreProgress): void;
  stop(): void;
}

/** For example "3 of 28 explored, now two-flushers: 12.3k executions, 2.1k a second, ...". */
function describe({ done, jobs, scenario, seconds, ...counts }: ExploreProgress): string {
  const { executions, perSecond, depth } = counts;
  const rate = `${brief(executions)} executions, ${brief(perSecond)} a second, depth ${depth}`;
  return `${done} of ${jobs} explored, now ${scenario}: ${rate}, ${seconds.toFixed(0)} s`;
}

export const explorationProgress = (): ProgressLine =>
  process.stderr.isTTY ? changingLine() : lines();

function changingLine(): ProgressLine {
  const { stderr } = process;
  return {
    update: (progress) => void stderr.write(`\r\x1b[K${describe(progress)}`),
    stop: () => void stderr.write("\r\x1b[K"),
  };
}

function lines(): ProgressLine {
  let last: ExploreProgress | null = null;
  const start = performance.now();
  const say = (): void => {
    const seconds = (performance.now() - start) / 1000;
    const none = `exploring, no execution has been counted yet, ${seconds.toFixed(0)} s`;
    note(last === null ? none : describe({ ...last, seconds }));
    timer = setTimeout(say, EACH_MS);
  };
  let timer = setTimeout(say, FIRST_MS);
  return {
    update: (progress) => void (last = progress),
    stop: () => clearTimeout(timer),
  };
}
