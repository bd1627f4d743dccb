// The oracles that can be asked on a host, and what their processors can do. Not silicon: KVM's
// walker runs under whatever the host is, TCG is software; see oracle/README.md.

import type { Vendor } from "../../base/architecture.ts";
import type { VectorMode } from "../vectors/vector.ts";

export type OracleName = "kvm" | "tcg";

export interface Oracle {
  readonly name: OracleName;
  readonly modes: readonly VectorMode[];
  readonly vendors: readonly Vendor[];
  /** MAXPHYADDR: KVM takes any from CPUID, QEMU's "max" processor has one. */
  readonly physicalAddressBits: readonly number[];
  readonly gigabytePages: boolean;
  readonly protectionKeys: boolean;
  /** Loads and stores work where there is no RAM; instruction fetches do not. */
  readonly answersWithoutRam: boolean;
  /** A LOCK CMPXCHG that does not match is a store here too; untried on KVM. */
  readonly comparesAsStore: boolean;
  /** First bytes of regions of 4 MiB that data may lie in, besides the low ones. */
  readonly highRam: readonly bigint[];
}

export const ORACLES: Readonly<Record<OracleName, Oracle>> = {
  kvm: {
    name: "kvm",
    modes: ["l4"],
    vendors: ["amd", "intel"],
    physicalAddressBits: [48, 48, 48, 36, 39, 40, 41, 42, 45, 46, 51, 52],
    gigabytePages: false,
    protectionKeys: false,
    answersWithoutRam: true,
    comparesAsStore: false,
    highRam: [1n << 32n, 1n << 39n],
  },
  tcg: {
    name: "tcg",
    modes: ["l4", "l5", "pae", "l2"],
    vendors: ["intel"],
    physicalAddressBits: [40],
    gigabytePages: true,
    protectionKeys: true,
    answersWithoutRam: false,
    comparesAsStore: true,
    highRam: [1n << 32n],
  },
};
