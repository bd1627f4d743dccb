// System calls on memory. Linux logs entry and exit apart, with other lines in between; a replay
// needs one event at the entry that already knows how the call ended.

import { virtualAddress } from "../base/address.ts";
import type { CallEvent, TraceOrigin } from "./trace-event.ts";

type Arguments = ReadonlyMap<string, bigint>;
type CallParser = (args: Arguments, origin: Entered) => CallEvent;
/** A call that was entered: how it ends is not known yet. */
type Entered = TraceOrigin & { readonly errno: undefined };

const ENTER = "sys_enter_";
const EXIT = "sys_exit_";

/** "mmap" of "sys_enter_mmap"; undefined for any other event. */
export const enteredCall = (name: string): string | undefined =>
  name.startsWith(ENTER) ? name.slice(ENTER.length) : undefined;

export const returnedCall = (name: string): string | undefined =>
  name.startsWith(EXIT) ? name.slice(EXIT.length) : undefined;

/** "unknown": a call that changes no mapping. undefined: its arguments are damaged. */
export function parseCall(
  call: string,
  fields: string,
  origin: TraceOrigin,
): CallEvent | "unknown" | undefined {
  const known = CALLS.get(call);
  if (known === undefined) return "unknown";
  const args = argumentsOf(fields);
  if (known.arguments.some((name) => !args.has(name))) return undefined;
  return known.parse(args, { ...origin, errno: undefined });
}

const ERROR_COUNT = 4095n;

/** The event once the call has returned `printed`; undefined if that is no number. */
export function withResult(call: CallEvent, printed: string): CallEvent | undefined {
  if (!/^(-?\d+|0x[0-9a-f]+)$/.test(printed)) return undefined;
  const value = BigInt.asIntN(64, BigInt(printed));
  if (value < 0n && value >= -ERROR_COUNT) return { ...call, errno: Number(-value) };
  const result = virtualAddress(value);
  switch (call.kind) {
    case "mmap":
    case "mremap":
    case "brk":
      return { ...call, errno: 0, result };
    case "munmap":
    case "mprotect":
    case "madvise":
      return { ...call, errno: 0 };
  }
}

/** "addr: 0x7f00, len: 0x1000, prot: 3"; trace-cmd pads with zeros and prints null as (nil). */
function argumentsOf(fields: string): Arguments {
  const args = new Map<string, bigint>();
  for (const part of fields.split(", ")) {
    const match = /^(\w+): (0x[0-9a-f]+|\d+|\(nil\))$/.exec(part);
    if (match !== null) args.set(match[1]!, match[2] === "(nil)" ? 0n : BigInt(match[2]!));
  }
  return args;
}

const addressOf = (args: Arguments, name: string) => virtualAddress(args.get(name)!);
const numberOf = (args: Arguments, name: string): number => Number(args.get(name)!);

const MAP_SHARED = 0x1;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_FIXED_NOREPLACE = 0x100000;

const parseMmap: CallParser = (args, origin) => {
  const flags = numberOf(args, "flags");
  return {
    ...origin,
    kind: "mmap",
    address: addressOf(args, "addr"),
    lengthBytes: numberOf(args, "len"),
    protection: numberOf(args, "prot"),
    flags,
    fixed: (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0,
    anonymous: (flags & MAP_ANONYMOUS) !== 0,
    shared: (flags & MAP_SHARED) !== 0,
    result: undefined,
  };
};

const parseMunmap: CallParser = (args, origin) => ({
  ...origin,
  kind: "munmap",
  address: addressOf(args, "addr"),
  lengthBytes: numberOf(args, "len"),
});

const parseMprotect: CallParser = (args, origin) => ({
  ...origin,
  kind: "mprotect",
  address: addressOf(args, "start"),
  lengthBytes: numberOf(args, "len"),
  protection: numberOf(args, "prot"),
});

const MADV_DONTNEED = 4;
const MADV_FREE = 8;

const parseMadvise: CallParser = (args, origin) => {
  const advice = numberOf(args, "behavior");
  return {
    ...origin,
    kind: "madvise",
    address: addressOf(args, "start"),
    lengthBytes: numberOf(args, "len_in"),
    behaviour: advice === MADV_DONTNEED ? "dontneed" : advice === MADV_FREE ? "free" : "other",
    advice,
  };
};

const parseMremap: CallParser = (args, origin) => ({
  ...origin,
  kind: "mremap",
  address: addressOf(args, "addr"),
  oldLengthBytes: numberOf(args, "old_len"),
  newLengthBytes: numberOf(args, "new_len"),
  flags: numberOf(args, "flags"),
  newAddress: addressOf(args, "new_addr"),
  result: undefined,
});

const parseBrk: CallParser = (args, origin) => ({
  ...origin,
  kind: "brk",
  address: addressOf(args, "brk"),
  result: undefined,
});

const CALLS: ReadonlyMap<
  string,
  { readonly arguments: readonly string[]; readonly parse: CallParser }
> = new Map([
  ["mmap", { arguments: ["addr", "len", "prot", "flags"], parse: parseMmap }],
  ["munmap", { arguments: ["addr", "len"], parse: parseMunmap }],
  ["mprotect", { arguments: ["start", "len", "prot"], parse: parseMprotect }],
  ["pkey_mprotect", { arguments: ["start", "len", "prot"], parse: parseMprotect }],
  ["madvise", { arguments: ["start", "len_in", "behavior"], parse: parseMadvise }],
  [
    "mremap",
    { arguments: ["addr", "old_len", "new_len", "flags", "new_addr"], parse: parseMremap },
  ],
  ["brk", { arguments: ["brk"], parse: parseBrk }],
]);
