// Random programs: a control state, tables, and steps that change and use them. Numbers come from
// a seed, or from a property test: the programs are the same kind.

import type { Access } from "../../base/architecture.ts";
import { bit, pagingMode } from "../../reference/registers.ts";
import { Dice, type Numbers } from "../../base/dice.ts";
import { bytesOf, entryWrite, firstEntries, type Ground, pdpteWrite } from "./draw-entries.ts";
import { drawRegisters, drawWrite, widthOf } from "./draw-registers.ts";
import * as places from "./places.ts";
import { PROCESSORS } from "./processors.ts";
import type { Program, Step } from "./random-program.ts";

const MOST_ADDRESSES = 4;
const FEWEST_STEPS = 6;
const MOST_STEPS = 36;

/** What the steps of one program have in common. */
interface Scene extends Ground {
  /** Addresses that steps return to. */
  readonly addresses: readonly bigint[];
  /** Where the entries are that lead to those addresses, at first. */
  readonly paths: readonly bigint[];
}

export function generateProgram(numbers: Numbers): Program {
  const dice = new Dice(numbers);
  const features = dice.pick(PROCESSORS);
  const registers = drawRegisters(dice, features);
  const width = widthOf(registers);
  const mode = pagingMode(registers);
  const has4Bytes = mode === "32-bit" || (mode === "none" && width === 32 && dice.once(2));
  const space: places.Space = { width, indexBits: has4Bytes ? 10 : 9 };
  const addresses = Array.from({ length: 1 + dice.below(MOST_ADDRESSES) }, () =>
    places.linearAddress(dice, space),
  );
  const ground = { dice, features, registers, space };
  const { entries, paths } = firstEntries(ground, addresses);
  const scene: Scene = { ...ground, addresses, paths };
  const length = FEWEST_STEPS + dice.below(MOST_STEPS - FEWEST_STEPS + 1);
  return { features, registers, entries, steps: Array.from({ length }, () => step(scene)) };
}

/** Mostly where it matters. */
const entryPlace = ({ dice, paths, space }: Scene): bigint =>
  paths.length > 0 && !dice.once(4) ? dice.pick(paths) : places.entryPlace(dice, bytesOf(space));

function step(scene: Scene): Step {
  const { dice, features, registers } = scene;
  const what = dice.below(100);
  if (what < 52) return { kind: "access", access: access(scene) };
  if (what < 71) return entryWrite(scene, entryPlace(scene));
  if (what < 72) return pdpteWrite(scene, dice.pick(places.PDPTE_PLACES));
  if (what < 84) return { kind: "control", instruction: drawWrite(dice, features, registers) };
  // Where there is no INVPCID, now and then is enough to see that.
  const hasInvpcid = features.invpcid || dice.once(12);
  const isInvpcid = what < 92 && hasInvpcid;
  const invlpg = { kind: "invlpg", address: near(scene) } as const;
  return { kind: "control", instruction: isInvpcid ? invpcid(scene) : invlpg };
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
