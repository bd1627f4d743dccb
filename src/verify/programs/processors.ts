// The processors that random programs run on. Few, because a machine is booted for each; together
// they have every feature both ways, several MAXPHYADDR, and both vendors.

import type { PagingFeatures } from "../../base/architecture.ts";

const EVERYTHING: PagingFeatures = {
  vendor: "intel",
  physicalAddressBits: 52,
  gigabytePages: true,
  fiveLevels: true,
  pcid: true,
  invpcid: true,
  smep: true,
  smap: true,
  protectionKeys: true,
  supervisorKeys: true,
  noExecute: true,
};

const NOTHING: PagingFeatures = {
  vendor: "intel",
  physicalAddressBits: 32,
  gigabytePages: false,
  fiveLevels: false,
  pcid: false,
  invpcid: false,
  smep: false,
  smap: false,
  protectionKeys: false,
  supervisorKeys: false,
  noExecute: false,
};

/** Those with the most features come more than once: they have the most to get wrong. */
export const PROCESSORS: readonly PagingFeatures[] = [
  EVERYTHING,
  { ...EVERYTHING, physicalAddressBits: 46 },
  { ...EVERYTHING, physicalAddressBits: 39, fiveLevels: false, supervisorKeys: false },
  { ...EVERYTHING, physicalAddressBits: 36, gigabytePages: false, invpcid: false },
  { ...EVERYTHING, physicalAddressBits: 40, noExecute: false, smap: false },
  { ...EVERYTHING, vendor: "amd", physicalAddressBits: 48 },
  { ...EVERYTHING, vendor: "amd", supervisorKeys: false, smep: false },
  { ...EVERYTHING, vendor: "amd", physicalAddressBits: 44, protectionKeys: false, pcid: false },
  { ...NOTHING, physicalAddressBits: 36, noExecute: true },
  NOTHING,
];
