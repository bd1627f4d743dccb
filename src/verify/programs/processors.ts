// The processors that random programs run on. Few, because a machine is booted for each; together
// they have every feature both ways, several MAXPHYADDR, and both vendors.

import { EVERY_FEATURE, type PagingFeatures } from "../../base/architecture.ts";

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
  EVERY_FEATURE,
  { ...EVERY_FEATURE, physicalAddressBits: 46 },
  { ...EVERY_FEATURE, physicalAddressBits: 39, fiveLevels: false, supervisorKeys: false },
  { ...EVERY_FEATURE, physicalAddressBits: 36, gigabytePages: false, invpcid: false },
  { ...EVERY_FEATURE, physicalAddressBits: 40, noExecute: false, smap: false },
  { ...EVERY_FEATURE, vendor: "amd", physicalAddressBits: 48 },
  { ...EVERY_FEATURE, vendor: "amd", supervisorKeys: false, smep: false },
  { ...EVERY_FEATURE, vendor: "amd", physicalAddressBits: 44, protectionKeys: false, pcid: false },
  { ...NOTHING, physicalAddressBits: 36, noExecute: true },
  NOTHING,
];
