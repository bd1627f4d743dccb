// Ideal hardware: an upper bound for what any better shootdown can gain, not a machine. A flush is
// one instruction that takes as long as an INVLPG, whatever it covers and however many CPUs there
// are; it is done everywhere when it ends, and costs nobody else a cycle. Only the refills remain.

import { flushingInHardware } from "./one-asid.ts";
import type { ShootdownProtocol } from "../state/shootdown-protocol.ts";

/** More pages than this are forgotten with all others, which bounds the work of the emulator. */
const MOST_PAGES = 4096;

export const broadcast: ShootdownProtocol = {
  name: "broadcast",
  summary: "ideal hardware: a flush is done on every CPU at once, for the price of one INVLPG",
  source: "none: what INVLPGB, RAR and the like can at most come to",
  ...flushingInHardware({ route: "everywhere", ceilingOf: () => MOST_PAGES }),
};
