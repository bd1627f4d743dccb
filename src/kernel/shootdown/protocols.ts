// The list of shootdown protocols. Adding one: its file, a line here, a test, a row in the docs.

import { kvmPv } from "./kvm-pv.ts";
import { linux513 } from "./linux-5.13.ts";
import type { ShootdownProtocol } from "./protocol.ts";

export const protocols = {
  "linux-5.13": linux513,
  "kvm-pv": kvmPv,
} as const satisfies Record<string, ShootdownProtocol>;

export type ProtocolName = keyof typeof protocols;
export const PROTOCOL_NAMES = Object.keys(protocols) as readonly ProtocolName[];
