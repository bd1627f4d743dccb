// One access and what comes of it. A fault is a value.

import type { PhysicalAddress, VirtualAddress } from "../base/address.ts";

export type AccessKind = "read" | "write" | "execute";

export type AccessResult =
  | {
      readonly fault: false;
      readonly physical: PhysicalAddress;
      readonly cycles: number;
      readonly source: "l1" | "l2" | "walk";
      /** A condemned entry was used. */
      readonly stale: boolean;
    }
  | {
      readonly fault: true;
      /** CR2 of a page fault. */
      readonly address: VirtualAddress;
      readonly errorCode: number;
      readonly vector: 13 | 14;
    };
