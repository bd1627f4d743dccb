// The control state that a random program begins in, and the writes that change it. A write begins
// with the value at the start of the program, so that steps do not depend on one another.

import type {
  ControlInstruction,
  ControlRegisters,
  PagingFeatures,
} from "../../base/architecture.ts";
import {
  bit,
  bits,
  CR0,
  CR4,
  EFER,
  has,
  isLongMode,
  pagingMode,
} from "../../reference/registers.ts";
import type { Dice } from "../../base/dice.ts";
import { PDPTS, TABLES, type Width } from "./places.ts";

const PCIDS: readonly bigint[] = [0n, 1n, 2n];
const KEEP = bit(63);
/** The root in CR3, PDPTEs included, and PWT and PCD. */
const ROOT = bits(51, 12) | bit(5);
const CACHING = bits(4, 3);
const MODES = ["none", "32-bit", "32-bit", "PAE", "PAE", "long", "long", "long", "long", "long"];

/** Features of CR4 that may be on or off in any mode. */
function optionalCr4(features: PagingFeatures): readonly bigint[] {
  const { smep, smap, protectionKeys, supervisorKeys } = features;
  return [
    CR4.PGE,
    CR4.PSE,
    ...(smep ? [CR4.SMEP] : []),
    ...(smap ? [CR4.SMAP] : []),
    ...(protectionKeys ? [CR4.PKE] : []),
    ...(supervisorKeys ? [CR4.PKS] : []),
  ];
}

export function drawRegisters(dice: Dice, features: PagingFeatures): ControlRegisters {
  const mode = dice.pick(MODES);
  const isLong = mode === "long";
  const isPaging = mode !== "none";
  const hasPae = mode === "PAE" || isLong || (!isPaging && dice.once(2));
  let cr0 = CR0.PE | CR0.ET | dice.flags([CR0.WP], 2);
  if (isPaging) cr0 |= CR0.PG;
  let cr4 = dice.flags(optionalCr4(features), 2) | (hasPae ? CR4.PAE : 0n);
  if (features.fiveLevels && (isLong || !isPaging) && dice.once(2)) cr4 |= CR4.LA57;
  if (features.pcid && isLong && !dice.once(3)) cr4 |= CR4.PCIDE;
  let efer = features.noExecute && !dice.once(4) ? EFER.NXE : 0n;
  if (isLong) efer |= EFER.LME | EFER.LMA;
  else if (!isPaging && dice.once(2)) efer |= EFER.LME;
  const registers = { cr0, cr3: 0n, cr4, efer, pkru: drawKeys(dice), pkrs: drawKeys(dice) };
  const pcid = has(cr4, CR4.PCIDE) ? dice.pick(PCIDS) : 0n;
  return { ...registers, cr3: drawRoot(dice, registers) | pcid };
}

function drawRoot(dice: Dice, registers: ControlRegisters): bigint {
  const isPae = pagingMode(registers) === "PAE";
  return isPae !== dice.once(16) ? dice.pick(PDPTS) : dice.pick(TABLES);
}

/** Rights of keys 0, 1 and 15, which are those that entries have. */
const drawKeys = (dice: Dice): bigint =>
  dice.once(3) ? 0n : dice.some(dice.once(2) ? 0b1100n : 0xc000_000fn);

/** Linear addresses as the mode has them; with paging off, as the mode to come. */
export function widthOf(registers: ControlRegisters): Width {
  if (!isLongMode(registers) && !has(registers.efer, EFER.LME)) return 32;
  return has(registers.cr4, CR4.LA57) ? 57 : 48;
}

type Write = Extract<ControlInstruction, { kind: "write" }>;
type Draw = (dice: Dice, features: PagingFeatures, start: ControlRegisters) => bigint;

/** Any bit, so that values that are refused come as well. */
const strayBit = (dice: Dice): bigint => (dice.once(8) ? bit(dice.below(64)) : 0n);

const DRAW: Readonly<Record<Write["register"], Draw>> = {
  cr0: (dice, _, { cr0 }) =>
    cr0 ^ dice.pick([CR0.WP, CR0.WP, CR0.PG, CR0.CD, CR0.CD | CR0.NW, 0n]) ^ strayBit(dice),
  cr3: (dice, _, start) => {
    const root = dice.once(2) ? start.cr3 & ROOT : drawRoot(dice, start);
    const isTagged = has(start.cr4, CR4.PCIDE);
    const low = isTagged ? dice.pick(PCIDS) : dice.once(4) ? dice.some(CACHING) : 0n;
    const keep = isTagged && dice.once(2) ? KEEP : 0n;
    return (root | low | keep) ^ (dice.once(4) ? strayBit(dice) : 0n);
  },
  cr4: (dice, features, { cr4 }) => {
    const rare = [CR4.PAE, CR4.LA57, CR4.PCIDE];
    const flips = dice.once(4) ? dice.pick(rare) : dice.pick(optionalCr4(features));
    return cr4 ^ flips ^ (dice.once(2) ? dice.pick(optionalCr4(features)) : 0n) ^ strayBit(dice);
  },
  efer: (dice, _, { efer }) => efer ^ dice.pick([EFER.NXE, EFER.NXE, EFER.LME]) ^ strayBit(dice),
  pkru: (dice) => drawKeys(dice) | (dice.once(16) ? bit(32) : 0n),
  pkrs: (dice) => drawKeys(dice) | (dice.once(16) ? bit(32) : 0n),
};

/** Those of a feature that is not there come seldom: they only fault. */
function registersOf(features: PagingFeatures, dice: Dice): readonly Write["register"][] {
  const isSeldom = dice.once(12);
  return [
    "cr0",
    "cr3",
    "cr3",
    "cr3",
    "cr4",
    "cr4",
    "efer",
    ...(features.protectionKeys || isSeldom ? (["pkru"] as const) : []),
    ...(features.supervisorKeys || isSeldom ? (["pkrs"] as const) : []),
  ];
}

export function drawWrite(
  dice: Dice,
  features: PagingFeatures,
  start: ControlRegisters,
): ControlInstruction {
  const register = dice.pick(registersOf(features, dice));
  return { kind: "write", register, value: DRAW[register](dice, features, start) };
}
