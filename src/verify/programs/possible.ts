// What an access to one page may come to, given everything that may be cached.

import type { Access, Fault } from "../../base/architecture.ts";
import { pageFault } from "../../reference/fault.ts";
import { EFER, has, type Processor } from "../../reference/registers.ts";
import { keyPermits, type Rights, rightsPermit } from "../../reference/rights.ts";
import { type EntryRead, type HeldWalks, heldWalks, type Translation } from "./held-walk.ts";
import type { History } from "./entry-history.ts";
import { dropsTranslation } from "./invalidation.ts";

export interface Possible {
  readonly faults: readonly Fault[];
  readonly reached: readonly { readonly physical: bigint; readonly leaf?: EntryRead }[];
  /** Entries whose flags it may set. */
  readonly used: HeldWalks["used"];
}

export function possible(history: History, access: Access, address: bigint): Possible {
  const { processor, mode } = history.current;
  if (mode === "none") return { faults: [], reached: [{ physical: address }], used: new Map() };
  const walks = heldWalks(history, address);
  const faults = [...walks.refusals].map((refusal) =>
    pageFault(processor, access, address, refusal),
  );
  const reached: { physical: bigint; leaf: EntryRead }[] = [];
  for (const translation of walks.translations) {
    if (!isUsable(history, translation)) continue;
    for (const rights of rightsAsCached(processor, translation.rights)) {
      const fault = faultOf(processor, { ...translation, rights }, access);
      if (fault !== undefined) faults.push(fault);
      else reached.push({ physical: translation.physical, leaf: translation.leafRead });
    }
  }
  return { faults, reached, used: walks.used };
}

/** SDM 3A 4.10.2.2, 4.10.2.4: of the current PCID or global, and not dropped since it was made. */
const isUsable = (history: History, translation: Translation): boolean =>
  (translation.global || translation.pcid === history.current.pcid) &&
  history.survives((by) => dropsTranslation(by, translation), translation.made, history.now);

/** The manual does not say what XD in a cached translation means once EFER.NXE is cleared. */
function rightsAsCached({ registers }: Processor, rights: Rights): readonly Rights[] {
  const isOpen = rights.executable || has(registers.efer, EFER.NXE);
  return isOpen ? [rights] : [rights, { ...rights, executable: true }];
}

function faultOf(
  processor: Processor,
  { address, rights, leaf }: Translation,
  access: Access,
): Fault | undefined {
  if (!keyPermits(processor, rights, leaf, access)) {
    return pageFault(processor, access, address, "protection key");
  }
  if (rightsPermit(processor, rights, access)) return undefined;
  return pageFault(processor, access, address, "access rights");
}
