// The list of workloads. Adding one: its file, a line here, a test.

import { exit } from "./exit.ts";
import { forkExit } from "./fork-exit.ts";
import { kthread } from "./kthread.ts";
import { madvise } from "./madvise.ts";
import { mprotect } from "./mprotect.ts";
import { munmap } from "./munmap.ts";
import { overcommit } from "./overcommit.ts";
import { pingpong } from "./pingpong.ts";
import { reclaim } from "./reclaim.ts";
import { server } from "./server.ts";
import { tlbFlush2 } from "./tlb-flush2.ts";
import { sharedMms, twoMms, twoThreads } from "./two-mms.ts";
import { unplug } from "./unplug.ts";
import { vmalloc } from "./vmalloc.ts";
import type { Workload } from "./workload.ts";
import { writeback } from "./writeback.ts";

export const workloads = {
  pingpong,
  munmap,
  madvise,
  mprotect,
  "tlb-flush2": tlbFlush2,
  "fork-exit": forkExit,
  exit,
  "two-mms": twoMms,
  "shared-mms": sharedMms,
  "two-threads": twoThreads,
  kthread,
  reclaim,
  overcommit,
  server,
  unplug,
  vmalloc,
  writeback,
} as const satisfies Record<string, Workload>;

export type WorkloadName = keyof typeof workloads;
export const WORKLOAD_NAMES = Object.keys(workloads) as readonly WorkloadName[];
