// One line on stderr while scenarios are explored, where somebody watches.

import { brief } from "../report/number.ts";
import type { ExploreProgress } from "../explore/explore.ts";

export interface Line {
  update(progress: ExploreProgress): void;
  stop(): void;
}

export function explorationProgress(): Line {
  const { stderr } = process;
  if (!stderr.isTTY) return { update: () => {}, stop: () => {} };
  return {
    update({ done, jobs, executions, perSecond, depth }) {
      const rate = `${brief(executions)} executions, ${brief(perSecond)} a second`;
      stderr.write(`\r\x1b[K${done} of ${jobs} explored: ${rate}, depth ${depth}`);
    },
    stop: () => void stderr.write("\r\x1b[K"),
  };
}
