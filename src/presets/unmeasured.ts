// Costs that no reachable source states for any of these CPUs: one estimate each, shared by all
// presets so that a comparison of presets never rests on two different guesses.

import type { DistanceLatency, Sourced } from "./preset.ts";
import { cite } from "./sources.ts";
import { estimated, inCycles, inNs } from "./sourced.ts";

/** Instructions around interrupts, faults and system calls. */
export const unmeasuredInstructions = {
  writeIcr: inCycles(
    estimated(300, `x2APIC WRMSR to ICR; upper bound SENDUIPI 383 (${cite("XUI")})`),
  ),
  xapic: {
    readIcr: inCycles(
      estimated(300, "an uncached load of the local APIC, 200 to 400; finds it idle at once"),
    ),
    writeIcr: inCycles(estimated(150, "two posted uncached stores, as the sender sees them")),
  },
  interruptEntry: inCycles(
    estimated(420, `pipeline flush plus IDT delivery; receiver of a user IPI 720 (${cite("XUI")})`),
  ),
  endOfInterrupt: inCycles(
    estimated(50, "WRMSR to the x2APIC EOI register does not serialise, unlike most WRMSRs"),
  ),
  iret: inCycles(estimated(150, "between 100 and 250 by recollection; no source read")),
  pageFault: inCycles(
    estimated(400, "delivery microcode and serialisation, about that of an interrupt (420)"),
  ),
  syscall: inCycles(
    estimated(90, "SYSCALL plus SYSRET without mitigations, 70 to 110 by recollection"),
  ),
} as const;

const SAME_SOCKET_IPI_NS = 700;
const CROSS_SOCKET_IPI_NS = 900;

/** Where one LLC is the whole socket. */
export const ipiWithinSocket = estimated(
  SAME_SOCKET_IPI_NS,
  "one LLC is the whole socket: as within the socket",
);

/** Where a socket holds several LLCs. */
export const ipiWithinComplex = estimated(
  650,
  "as within the socket (700 ns), less half the difference of the two core-to-core latencies",
);

/** ICR write to handler, by distance. */
export const unmeasuredInterrupt = (sameLlc: Sourced<number>): DistanceLatency => ({
  sameLlc: inNs(sameLlc),
  sameSocket: inNs(
    estimated(
      SAME_SOCKET_IPI_NS,
      `calibrated to 680 ns for a user IPI (${cite("XUI")}); guests see ${cite("KVM_IPI")}; ` +
        cite("AVIC_IPI"),
    ),
  ),
  oneHop: inNs(
    estimated(CROSS_SOCKET_IPI_NS, "within the socket, plus about one socket-to-socket round trip"),
  ),
  twoHops: inNs(
    estimated(
      2 * CROSS_SOCKET_IPI_NS - SAME_SOCKET_IPI_NS,
      "one hop, plus what the first hop added over the socket (200 ns)",
    ),
  ),
});

/** Of the CPUs here none is known to have RAR. */
export const unmeasuredRemoteAction = inCycles(
  estimated(
    300,
    "no figure found; less than an interrupt's entry and IRET (570): a pipeline flush, and tables",
  ),
);

export const unmeasuredReadOccupancy = inNs(
  estimated(4, "an LLC slice answers reads of one line one after another, about 10 uncore clocks"),
);

/** AMD states no cost of any invalidation; Intel's are the reference. */
export const unmeasuredAmdInvalidation = {
  writeCr3Flush: inCycles(
    estimated(200, `no AMD figure found; Intel 96 to 251 (${cite("MOLNAR_2015")})`),
  ),
  writeCr3NoFlush: inCycles(
    estimated(150, `no AMD figure found; cheaper than with a flush; ${cite("PTI_DOC")}`),
  ),
  writeCr4: inCycles(
    estimated(300, "no AMD figure found; half of the pair of writes that a global flush takes"),
  ),
  invlpg: inCycles(
    estimated(
      150,
      `no AMD figure found; Intel 190 to 260; ${cite("MOLNAR_2015", "expensive on most CPUs")}`,
    ),
  ),
  invpcid: {
    address: inCycles(estimated(200, "no AMD figure found; above INVLPG, as on Skylake")),
    context: inCycles(estimated(250, "no AMD figure found; above a CR3 write, as on Skylake")),
    all: inCycles(estimated(400, "no AMD figure found; below a pair of CR4 writes, as on Skylake")),
    allButGlobals: inCycles(
      estimated(250, "no AMD figure found; 1.15 to 1.85 CR3 writes, as on Skylake"),
    ),
  },
} as const;
