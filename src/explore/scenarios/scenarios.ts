// The list of scenarios. Adding one: its file, a line here, a row in docs/explore.md.

import { assert } from "../../base/assert.ts";
import type { Scenario } from "./scenario.ts";
import { copyOnWriteAgainstReader } from "./copy-on-write.ts";
import { discardAgainstSwitchIn, discardAgainstUnlazy } from "./discard-against-switch.ts";
import { execAgainstFlush } from "./exec-against-flush.ts";
import { execWhileLazy } from "./exec-while-lazy.ts";
import { exitUnmappedWhileLazy, exitWhileLazy } from "./exit-while-lazy.ts";
import { kthreadAgainstExit } from "./kthread-against-exit.ts";
import { broadcastTransition } from "./broadcast-transition.ts";
import { flushFromOutside } from "./flush-from-outside.ts";
import {
  exitUnmappedWhileVcpuPreempted,
  exitWhileVcpuPreempted,
  protectAgainstEntry,
} from "./guest.ts";
import { discardsInTwoTables, discardsOfOnePage } from "./nested-discards.ts";
import { kthreadLeavesDying, lastLazyUserLeaves } from "./last-lazy-user.ts";
import { isolatedKernelPages, isolatedReader } from "./page-table-isolation.ts";
import {
  reclaimAgainstProtect,
  reclaimAgainstReader,
  reclaimAgainstTwoTables,
} from "./reclaim-against-others.ts";
import { postponedUnmap } from "./postponed-unmap.ts";
import { discardOfOwnPage, discardOfPrivatePage } from "./private-page.ts";
import { protectAgainstCall } from "./protect-against-call.ts";
import { exitAfterTextPoke, textPokeWhileLazy } from "./text-poke.ts";
import { twoFlushers } from "./two-flushers.ts";
import { unmapAgainstSwitch } from "./unmap-against-switch.ts";
import { unplugAgainstFlush, unplugWhileLazy } from "./unplug.ts";

export const SCENARIOS: readonly Scenario[] = [
  exitWhileLazy,
  exitUnmappedWhileLazy,
  discardAgainstSwitchIn,
  discardAgainstUnlazy,
  unmapAgainstSwitch,
  copyOnWriteAgainstReader,
  execAgainstFlush,
  execWhileLazy,
  kthreadAgainstExit,
  twoFlushers,
  flushFromOutside,
  discardsOfOnePage,
  discardsInTwoTables,
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
  exitAfterTextPoke,
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
