// The list of scenarios. Adding one: its file, a line here, a row in docs/explore.md.

import { assert } from "../base/assert.ts";
import type { Scenario } from "./scenario.ts";
import { copyOnWriteAgainstReader } from "./scenarios/copy-on-write.ts";
import {
  discardAgainstSwitchIn,
  discardAgainstUnlazy,
} from "./scenarios/discard-against-switch.ts";
import { execAgainstFlush } from "./scenarios/exec-against-flush.ts";
import { execWhileLazy } from "./scenarios/exec-while-lazy.ts";
import { exitUnmappedWhileLazy, exitWhileLazy } from "./scenarios/exit-while-lazy.ts";
import { kthreadAgainstExit } from "./scenarios/kthread-against-exit.ts";
import { broadcastTransition } from "./scenarios/broadcast-transition.ts";
import { flushFromOutside } from "./scenarios/flush-from-outside.ts";
import {
  exitUnmappedWhileVcpuPreempted,
  exitWhileVcpuPreempted,
  protectAgainstEntry,
} from "./scenarios/guest.ts";
import { kthreadLeavesDying, lastLazyUserLeaves } from "./scenarios/last-lazy-user.ts";
import { isolatedKernelPages, isolatedReader } from "./scenarios/page-table-isolation.ts";
import {
  reclaimAgainstProtect,
  reclaimAgainstReader,
  reclaimAgainstTwoTables,
} from "./scenarios/reclaim.ts";
import { postponedUnmap } from "./scenarios/postponed-unmap.ts";
import { discardOfOwnPage, discardOfPrivatePage } from "./scenarios/private-page.ts";
import { protectAgainstCall } from "./scenarios/protect-against-call.ts";
import { textPokeWhileLazy } from "./scenarios/text-poke.ts";
import { twoFlushers } from "./scenarios/two-flushers.ts";
import { unplugAgainstFlush, unplugWhileLazy } from "./scenarios/unplug.ts";

export const SCENARIOS: readonly Scenario[] = [
  exitWhileLazy,
  exitUnmappedWhileLazy,
  discardAgainstSwitchIn,
  discardAgainstUnlazy,
  copyOnWriteAgainstReader,
  execAgainstFlush,
  execWhileLazy,
  kthreadAgainstExit,
  twoFlushers,
  flushFromOutside,
  lastLazyUserLeaves,
  kthreadLeavesDying,
  reclaimAgainstProtect,
  reclaimAgainstReader,
  reclaimAgainstTwoTables,
  isolatedReader,
  isolatedKernelPages,
  broadcastTransition,
  protectAgainstEntry,
  exitWhileVcpuPreempted,
  exitUnmappedWhileVcpuPreempted,
  protectAgainstCall,
  postponedUnmap,
  discardOfPrivatePage,
  discardOfOwnPage,
  textPokeWhileLazy,
  unplugWhileLazy,
  unplugAgainstFlush,
];

export const SCENARIO_NAMES = SCENARIOS.map(({ name }) => name);

/** The scenario called `name`, which there must be. */
export function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((each) => each.name === name);
  assert(scenario !== undefined, `${name} is a scenario`);
  return scenario;
}
