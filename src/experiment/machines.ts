// Machines that are used again. To bring the state after boot back takes a fraction of what a new
// machine does, whose every function V8 has to learn anew; of small runs that is most of the time.

import type { MachineDescription } from "../machine/description.ts";
import { Machine } from "../machine/machine.ts";
import type { Snapshot } from "../machine/snapshot.ts";

/** Of more the copy would take longer than what it saves. */
const MOST_CORES = 8;
const MOST_KEPT = 16;

interface Kept {
  readonly machine: Machine;
  readonly booted: Snapshot;
}

/** Machines that nobody has, by their description; the one used last is last. */
const kept = new Map<string, Kept>();

/** Lends a machine as it is after boot, until `use` is done with it. */
export async function withMachine<T>(
  description: MachineDescription,
  use: (machine: Machine) => Promise<T>,
): Promise<T> {
  if (description.topology.coreCount > MOST_CORES) return use(newMachine(description));
  const key = JSON.stringify(description);
  const one = kept.get(key) ?? newlyKept(description);
  kept.delete(key);
  one.machine.restore(one.booted);
  const result = await use(one.machine);
  // A run may have ended in the middle of something, where a violation made the kernel fall over:
  // the next restore brings everything back. After an error that `use` throws nothing is kept.
  kept.set(key, one);
  for (const oldest of kept.keys()) {
    if (kept.size <= MOST_KEPT) break;
    kept.delete(oldest);
  }
  return result;
}

/** The executor is trusted: it calls millions of times. */
export const newMachine = (description: MachineDescription): Machine =>
  new Machine(description, { callers: "trusted" });

function newlyKept(description: MachineDescription): Kept {
  const machine = newMachine(description);
  return { machine, booted: machine.snapshot() };
}
