// The list of shootdown protocols. Adding one: its file, a line here, a test, a row in the docs.

import { linux513 } from "./linux-5.13.ts";
import { linux618 } from "./linux-6.18.ts";
import type { ShootdownProtocol } from "./protocol.ts";

export const protocols = {
  "linux-5.13": linux513,
  "linux-6.18": linux618,
} as const satisfies Record<string, ShootdownProtocol>;

export type ProtocolName = keyof typeof protocols;
export const PROTOCOL_NAMES = Object.keys(protocols) as readonly ProtocolName[];
