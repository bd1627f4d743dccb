// A bar on stderr while runs are measured, where somebody watches.

import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  update(progress: { readonly done: number; readonly total: number }): void;
  stop(): void;
}

export function progressBar(): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
  const format = "{bar} {value}/{total} runs, {duration_formatted}";
  const bar = new SingleBar(
    { format, stream: process.stderr, clearOnComplete: true },
    Presets.rect,
  );
  let started = false;
  return {
    update({ done, total }) {
      if (!started) bar.start(total, 0);
      started = true;
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
