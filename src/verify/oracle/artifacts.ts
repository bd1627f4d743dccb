// What an oracle answers otherwise than processors do, by name. A case that shows one is left out
// and counted, or the answer is put right and that is counted. The names are those of the recorded
// vectors (docs/vectors.md); on KVM they were seen under PVM, where no processor walks the tables.

import type { Entry, Outcome, VectorCase, VectorResult } from "../vectors/vector.ts";
import type { Answer } from "./artifact-signs.ts";
import * as signs from "./artifact-signs.ts";
import * as bit from "./geometry.ts";
import type { OracleName } from "./oracles.ts";

interface Named {
  readonly name: string;
  readonly oracles: readonly OracleName[];
  readonly why: string;
}

/** A case that cannot be compared. */
export interface Exclusion extends Named {
  readonly applies: (answer: Answer) => boolean;
}

/** An answer that is put right: the same one if there is nothing to put right. */
export interface Normalisation extends Named {
  readonly normalise: (the: VectorCase, result: VectorResult) => VectorResult;
}

const BOTH: readonly OracleName[] = ["kvm", "tcg"];
const PAGE_FAULT = 14;
const PROTECTION = 1 << 0;
const RESERVED_BIT = 1 << 3;
const INSTRUCTION_BYTES = 15n;

export const EXCLUSIONS: readonly Exclusion[] = [
  {
    name: "K1",
    oracles: ["kvm"],
    why: "PML4 slot 256 belongs to the host's kernel: user accesses there always fault",
    applies: ({ the }) =>
      signs.accessesOf(the).some((a) => a.user && signs.isHostSlot(the, a.address)),
  },
  {
    name: "straddles-canonical-hole",
    oracles: BOTH,
    why: "an access that is canonical in part wraps at the hole instead of raising #GP (K2)",
    applies: ({ the }) =>
      signs.accessesOf(the).some((a) => signs.isData(a) && signs.straddlesHole(the, a)),
  },
  {
    name: "K3",
    oracles: ["kvm"],
    why: "after EFER.NXE is cleared, entries with bit 63 stay usable for user accesses",
    applies: ({ the }) => signs.userAfterEfer(the),
  },
  {
    name: "K6",
    oracles: ["kvm"],
    why: "a store whose second page faults has already written to the first",
    applies: ({ partialStores }) => partialStores.size > 0,
  },
  {
    name: "K7",
    oracles: ["kvm"],
    why: "instructions close to the end of a page mark the next as accessed, as they may",
    applies: ({ the }) =>
      signs
        .accessesOf(the)
        .some((a) => !signs.isData(a) && (a.address & 0xfffn) + INSTRUCTION_BYTES > 0x1000n),
  },
  {
    name: "K8",
    oracles: ["kvm"],
    why: "a store that only CR0.WP = 0 allows, where there is no RAM, does not set D when cached",
    applies: signs.storesAgainWithoutRam,
  },
  {
    name: "T2",
    oracles: ["tcg"],
    why: "an address through SS that is not canonical raises #GP, not #SS",
    applies: ({ the }) =>
      bit.is64Bit(the.mode) &&
      signs.accessesOf(the).some((a) => a.stack && !signs.isCanonical(the, a.address)),
  },
  {
    name: "T3",
    oracles: ["tcg"],
    why: "PDPTEs of PAE are read at each walk, and their reserved bits never make MOV to CR3 fault",
    applies: ({ the }) => signs.hasOddPdptes(the),
  },
  {
    name: "T5",
    oracles: ["tcg"],
    why: "reserved bits of CR3 are not checked",
    applies: ({ the }) =>
      bit.is64Bit(the.mode) &&
      signs.loadedRoots(the).some((cr3) => cr3 >> BigInt(the.physicalAddressBits) !== 0n),
  },
  {
    name: "H1",
    oracles: BOTH,
    why: "a store across pages whose part on one equals the marker there cannot be seen",
    applies: signs.storesMarkerAcross,
  },
];

export const NORMALISATIONS: readonly Normalisation[] = [
  {
    name: "T1",
    oracles: ["tcg"],
    why: "page faults for reserved bits lack P in the error code",
    normalise: (_, result) => withOutcomes(result, markProtection),
  },
  {
    name: "T6",
    oracles: ["tcg"],
    why: "A is set in PDPTEs of PAE, which have none",
    normalise: clearPdpteAccessed,
  },
];

function markProtection(outcome: Outcome): Outcome {
  const { fault } = outcome;
  if (fault?.vector !== PAGE_FAULT || (fault.errorCode & RESERVED_BIT) === 0) return outcome;
  if ((fault.errorCode & PROTECTION) !== 0) return outcome;
  return { fault: { ...fault, errorCode: fault.errorCode | PROTECTION } };
}

function withOutcomes(result: VectorResult, change: (outcome: Outcome) => Outcome): VectorResult {
  const outcomes = result.outcomes.map(change);
  const isSame = outcomes.every((outcome, index) => outcome === result.outcomes[index]);
  return isSame ? result : { ...result, outcomes };
}

function clearPdpteAccessed(the: VectorCase, result: VectorResult): VectorResult {
  if (the.mode !== "pae") return result;
  const before = new Map(the.entries.map(({ address, value }) => [address, value]));
  const isMarked = ({ address, value }: Entry): boolean =>
    signs.isPdpteOfPae(the, address) &&
    (value & ~(before.get(address) ?? 0n) & bit.ACCESSED) !== 0n;
  if (!result.finalEntries.some(isMarked)) return result;
  const finalEntries = result.finalEntries.map((entry) =>
    isMarked(entry) ? { ...entry, value: entry.value & ~bit.ACCESSED } : entry,
  );
  return { ...result, finalEntries };
}

/** The first exclusion that applies to an answer. */
export const exclusionOf = (oracle: OracleName, answer: Answer): Exclusion | undefined =>
  EXCLUSIONS.find(({ oracles, applies }) => oracles.includes(oracle) && applies(answer));
