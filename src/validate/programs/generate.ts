// Random programs: a control state, tables, and steps that change and use them. Numbers come from
// a seed, or from a property test: the programs are the same kind.

import type { Access } from "../../base/architecture.ts";
import { ENTRY } from "../../reference/entry.ts";
import { bit, bits, pagingMode } from "../../reference/registers.ts";
import { Dice, type Numbers } from "../vectors/dice.ts";
import { drawRegisters, drawWrite, widthOf } from "./draw-registers.ts";
import * as places from "./places.ts";
import { PROCESSORS } from "./processors.ts";
import type { EntryWrite, Program, Step } from "./program.ts";

const GLOBAL = bit(8);
const OPEN = ENTRY.P | ENTRY.RW | ENTRY.US;
const MOST_ADDRESSES = 7;
const MOST_STEPS = 36;

/** What the steps of one program have in common. */
interface Scene extends Pick<Program, "features" | "registers"> {
  readonly dice: Dice;
  readonly space: places.Space;
  /** Addresses that steps return to. */
  readonly addresses: readonly bigint[];
}

export function generateProgram(numbers: Numbers): Program {
  const dice = new Dice(numbers);
  const features = dice.pick(PROCESSORS);
  const registers = drawRegisters(dice, features);
  const width = widthOf(registers);
  const mode = pagingMode(registers);
  const has4Bytes = mode === "32-bit" || (mode === "none" && width === 32 && dice.once(2));
  const space: places.Space = { width, indexBits: has4Bytes ? 10 : 9 };
  const addresses = Array.from({ length: 2 + dice.below(MOST_ADDRESSES - 1) }, () =>
    places.linearAddress(dice, space),
  );
  const scene: Scene = { dice, features, registers, addresses, space };
  const entries = [
    ...places.entryPlaces(bytesOf(space)).map((place) => entryWrite(scene, place)),
    ...places.PDPTE_PLACES.map((place) => pdpteWrite(scene, place)),
  ].filter(() => !dice.once(32));
  const length = 1 + dice.below(MOST_STEPS);
  return { features, registers, entries, steps: Array.from({ length }, () => step(scene)) };
}

const bytesOf = ({ indexBits }: places.Space): 4 | 8 => (indexBits === 10 ? 4 : 8);

function step(scene: Scene): Step {
  const { dice, features, registers } = scene;
  const what = dice.below(100);
  if (what < 58) return { kind: "access", access: access(scene) };
  if (what < 74) return entryWrite(scene, places.entryPlace(dice, bytesOf(scene.space)));
  if (what < 76) return pdpteWrite(scene, dice.pick(places.PDPTE_PLACES));
  if (what < 90) return { kind: "control", instruction: drawWrite(dice, features, registers) };
  if (what < 95) return { kind: "control", instruction: { kind: "invlpg", address: near(scene) } };
  return { kind: "control", instruction: invpcid(scene) };
}

function entryWrite({ dice, features, space }: Scene, address: bigint): EntryWrite {
  const bytes = bytesOf(space);
  const value = entryValue(dice, features.physicalAddressBits, space);
  return { kind: "entry", address, bytes, value: BigInt.asUintN(8 * bytes, value) };
}

/** An entry that may serve at any level: a table, or a page, of rights that are mostly open. */
function entryValue(dice: Dice, physicalAddressBits: number, { width }: places.Space): bigint {
  if (dice.once(40)) return dice.once(2) ? 0n : dice.bits(64) & ~ENTRY.P;
  const flags =
    (dice.once(4) ? OPEN & ~dice.some(OPEN & ~ENTRY.P) : OPEN) |
    dice.flags([ENTRY.A, ENTRY.D], 3) |
    dice.flags([GLOBAL], 6) |
    dice.flags([ENTRY.XD], 20) |
    (dice.once(width === 32 ? 40 : 3) ? dice.pick([1n, 15n]) << 59n : 0n);
  const high = width === 32 ? 0n : bits(58, 52);
  const ignored = dice.once(10) ? dice.some(bits(4, 3) | bits(11, 9) | high) : 0n;
  const stray = dice.once(40) ? bit(dice.pick([7, 13, 21, physicalAddressBits, 51, 62])) : 0n;
  const others = flags | ignored | stray;
  if (dice.once(10)) return others | ENTRY.PS | places.frame(dice, true, physicalAddressBits);
  if (dice.once(12)) return others | places.frame(dice, false, physicalAddressBits);
  return others | dice.pick(places.TABLES);
}

function pdpteWrite({ dice }: Scene, address: bigint): EntryWrite {
  const stray = dice.once(40) ? bit(dice.pick([1, 5, 7, 8, 52, 63])) : 0n;
  const present = dice.once(8) ? 0n : ENTRY.P;
  const value = dice.pick(places.TABLES) | present | stray | dice.some(bits(11, 9) | bits(4, 3));
  return { kind: "entry", address, bytes: 8, value };
}

/** Mostly one of the addresses of the program, its page's neighbour, or one that nobody has. */
function near({ dice, addresses, space }: Scene): bigint {
  const address = dice.pick(addresses);
  if (dice.once(5)) return BigInt.asUintN(64, address ^ dice.pick([0x1000n, 0x20_0000n, 0x800n]));
  return dice.once(16) ? places.strayAddress(dice, space) : address;
}

const ONE_PAGE_BYTES = [1, 2, 4, 8] as const;

function access(scene: Scene): Access {
  const { dice } = scene;
  const kind = dice.pick(["read", "read", "write", "write", "execute"] as const);
  const bytes = kind === "execute" ? 1 + dice.below(15) : dice.pick(ONE_PAGE_BYTES);
  return {
    address: near(scene),
    kind,
    bytes,
    user: dice.once(2),
    ...(kind !== "execute" && dice.once(8) && { implicit: true }),
    ...(dice.once(3) && { alignmentCheck: true }),
    ...(kind === "write" && dice.once(4) && { locked: true }),
    ...(kind !== "execute" && dice.once(5) && { stack: true }),
  };
}

function invpcid(scene: Scene): Extract<Step, { kind: "control" }>["instruction"] {
  const { dice } = scene;
  const type = dice.once(12) ? dice.pick([4n, bit(32), bit(32) | 2n]) : BigInt(dice.below(4));
  const pcid = dice.once(12) ? dice.pick([0xfffn, bit(12), bit(63)]) : BigInt(dice.below(3));
  return { kind: "invpcid", type, pcid, address: near(scene) };
}
