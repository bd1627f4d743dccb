// The list of shootdown protocols. Adding one: its file, a line here, a test, a row in the docs.

import { abis } from "./abis.ts";
import { alwaysFull } from "./always-full.ts";
import { broadcast } from "./broadcast.ts";
import { didi } from "./didi.ts";
import { freebsd } from "./freebsd.ts";
import {
  batchedSyscalls,
  copyWithoutFlush,
  earlyAck,
  eurosys20,
  fewerLines,
  inContextFlush,
} from "./eurosys-20.ts";
import { kvmPv, kvmPv618 } from "./kvm-pv.ts";
import { latr } from "./latr.ts";
import { linux415 } from "./linux-4.15.ts";
import { linux420 } from "./linux-4.20.ts";
import { linux48 } from "./linux-4.8.ts";
import { linux513 } from "./linux-5.13.ts";
import { linux618 } from "./linux-6.18.ts";
import { rar } from "./rar.ts";
import type { ShootdownProtocol } from "../state/shootdown-protocol.ts";

export const protocols = {
  "linux-4.8": linux48,
  "linux-4.15": linux415,
  "linux-4.20": linux420,
  "linux-5.13": linux513,
  "linux-6.18": linux618,
  "kvm-pv": kvmPv,
  "kvm-pv-6.18": kvmPv618,
  "always-full": alwaysFull,
  broadcast,
  didi,
  freebsd,
  rar,
  "early-ack": earlyAck,
  "fewer-lines": fewerLines,
  "in-context-flush": inContextFlush,
  "copy-without-flush": copyWithoutFlush,
  "batched-syscalls": batchedSyscalls,
  "eurosys-20": eurosys20,
  latr,
  abis,
} as const satisfies Record<string, ShootdownProtocol>;

export type ProtocolName = keyof typeof protocols;
export const PROTOCOL_NAMES = Object.keys(protocols) as readonly ProtocolName[];
