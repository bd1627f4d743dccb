// Stores that have left the core's way and are not visible yet: serialising instructions wait.

import { COUNTER_DRAIN_WAIT_CYCLES } from "./abi.ts";
import { add } from "./counters.ts";
import { Core } from "./layout.ts";

/** Waits until every posted store is visible. */
export function drain(core: Core): void {
  const wait = core.drainCycle - core.clock;
  if (wait <= 0) return;
  core.clock = core.drainCycle;
  add(core, COUNTER_DRAIN_WAIT_CYCLES, wait);
}
