// Writes small recordings to temporary files, for replays.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Recording as Lines } from "../trace/recording.ts";

export { Lines };

const META = "# meta: clock=x86-tsc tsc_mhz=2000 cpus=2 lost=0";

/** Path of a file with these lines, recorded on `cpus` CPUs. */
export function recordingFile(lines: Lines | readonly string[], cpus = 2): string {
  const folder = mkdtempSync(join(tmpdir(), "shootdown-"));
  const path = join(folder, "trace.txt");
  const text = lines instanceof Lines ? lines.lines : lines;
  writeFileSync(path, [META.replace("cpus=2", `cpus=${cpus}`), ...text].join("\n") + "\n");
  return path;
}
