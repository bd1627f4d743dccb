// One access on the machine, and what comes of it. A fault is a value.

import type { Access, Fault } from "../base/architecture.ts";
import type { PhysicalAddress } from "../base/address.ts";

/** Of one byte unless it says how many. */
export type MachineAccess = Omit<Access, "bytes"> & { readonly bytes?: number };

/** Where the translation was: a first-level TLB, the second level, or the page tables. */
export type TranslationSource = "l1" | "l2" | "walk";

export type AccessResult =
  | {
      readonly fault?: undefined;
      readonly physical: PhysicalAddress;
      /** Of the first byte on a second page. */
      readonly secondPhysical?: PhysicalAddress;
      readonly cycles: number;
      /** Of an access that crosses a page, that of the second page. */
      readonly source: TranslationSource;
      /** A condemned entry was used. */
      readonly stale: boolean;
    }
  | { readonly fault: Fault };
