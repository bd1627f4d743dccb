// The signs by which cases and answers are known to show an artifact of an oracle.

import * as bit from "./geometry.ts";
import { marker } from "../vectors/marker.ts";
import { Tables, pagesOf } from "./traversed.ts";
import type { DataOperation, VectorCase, VectorResult } from "../vectors/vector.ts";

/** What an oracle answered to a case. */
export interface Answer {
  readonly the: VectorCase;
  readonly result: VectorResult;
  /** Indexes of stores that faulted on their second page after writing the first. */
  readonly partialStores: ReadonlySet<number>;
}

export const accessesOf = (the: VectorCase): readonly DataOperation[] =>
  the.operations.filter((operation): operation is DataOperation => "bytes" in operation);

export const isData = ({ kind }: DataOperation): boolean => kind !== "execute";

const stores = ({ kind }: DataOperation): boolean => kind === "write" || kind === "add";

export const isCanonical = (the: VectorCase, address: bigint): boolean =>
  bit.canonical(the.mode, address) === address;

/** PML4 slot 256, in 4-level mode. */
export const isHostSlot = (the: VectorCase, address: bigint): boolean =>
  the.mode === "l4" && address >> 39n === 0xffff_8000_0000_0000n >> 39n;

export const straddlesHole = (the: VectorCase, { address, bytes }: DataOperation): boolean => {
  const last = BigInt.asUintN(64, address + BigInt(bytes - 1));
  return bit.is64Bit(the.mode) && isCanonical(the, address) !== isCanonical(the, last);
};

/** Whether some store across pages leaves the marker as it is on one of them. */
export function storesMarkerAcross({ the, result }: Answer): boolean {
  return someAccess(the, (access, index, tables) => {
    const [first, second] = pagesOf(access.address, access.bytes);
    if (second === undefined || !stores(access)) return false;
    if (result.outcomes[index]?.fault !== undefined) return false;
    const firstBytes = Number(second - access.address);
    const rest = access.value >> BigInt(8 * firstBytes);
    return (
      equalsMarker(tables.walk(first!).physical, access.value, firstBytes) ||
      equalsMarker(tables.walk(second).physical, rest, access.bytes - firstBytes)
    );
  });
}

function equalsMarker(physical: bigint | undefined, value: bigint, bytes: number): boolean {
  if (physical === undefined) return false;
  const held = marker(physical) >> (8n * (physical & 7n));
  return BigInt.asUintN(8 * bytes, held) === BigInt.asUintN(8 * bytes, value);
}

/** Stores to a page that is not writable, as supervisor with CR0.WP = 0, where there is no RAM, and
 *  not the first access. */
export function storesAgainWithoutRam({ the, result }: Answer): boolean {
  let isCached = false;
  return someAccess(the, (access, index, tables) => {
    if (result.outcomes[index]?.fault !== undefined) return false;
    const { last, physical } = tables.walk(access.address);
    const isAffected =
      isCached && stores(access) && !access.user && (last.value & bit.WRITABLE) === 0n;
    isCached = true;
    return isAffected && physical !== undefined && !isRam(physical);
  });
}

/** Whether an access is such, in view of the tables at its time. */
function someAccess(
  the: VectorCase,
  isSuch: (access: DataOperation, index: number, tables: Tables) => boolean,
): boolean {
  const tables = new Tables(the);
  return the.operations.some((operation, index) => {
    tables.follow(operation);
    return "bytes" in operation && isSuch(operation, index, tables);
  });
}

const RAM: readonly (readonly [bigint, bigint])[] = [
  [0n, 16n << 20n],
  [1n << 32n, 4n << 20n],
  [1n << 39n, 4n << 20n],
];

const isRam = (physical: bigint): boolean =>
  RAM.some(([first, bytes]) => physical >= first && physical < first + bytes);

/** Bits 2:1, 8:5, and those that no address has. */
const reservedInPdpte = (the: VectorCase): bigint =>
  0x1e6n | BigInt.asUintN(64, -1n << BigInt(the.physicalAddressBits));

/** All values that CR3 is ever given. */
export const loadedRoots = (the: VectorCase): readonly bigint[] => [
  the.cr3,
  ...the.operations.flatMap((o) => (o.kind === "cr3" ? [o.value] : [])),
];

export const isPdpteOfPae = (the: VectorCase, address: bigint): boolean =>
  the.mode === "pae" &&
  loadedRoots(the).some((root) => (root & bit.ROOT_MASK.pae) === (address & ~0x1fn));

/** Whether PDPTEs of PAE are changed, or have bits that make MOV to CR3 fault. */
export function hasOddPdptes(the: VectorCase): boolean {
  const isOdd = (value: bigint): boolean =>
    (value & bit.PRESENT) !== 0n && (value & reservedInPdpte(the)) !== 0n;
  const isEdited = the.operations.some((o) => o.kind === "entry" && isPdpteOfPae(the, o.address));
  return isEdited || the.entries.some((e) => isPdpteOfPae(the, e.address) && isOdd(e.value));
}

export function userAfterEfer(the: VectorCase): boolean {
  const first = the.operations.findIndex(({ kind }) => kind === "efer");
  const later = first < 0 ? [] : the.operations.slice(first);
  return later.some((operation) => "bytes" in operation && operation.user);
}
