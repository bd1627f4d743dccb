// Random cases for an oracle, the same for the same seed. Categories are those of the recorded
// vectors and "root"; each case is of one.

import { Random } from "../../base/random.ts";
import { CaseBuilder } from "./case-builder.ts";
import { Dice } from "../../base/dice.ts";
import * as accesses from "./generate-accesses.ts";
import * as edits from "./generate-edits.ts";
import * as entries from "./generate-entries.ts";
import type { Category } from "./generate-entries.ts";
import type { Oracle } from "./oracles.ts";
import type { VectorCase, VectorMode } from "../vectors/vector.ts";

interface CategoryEntry {
  readonly make: Category;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  readonly modes: readonly VectorMode[];
  readonly isFor?: (oracle: Oracle) => boolean;
}

const ALL_MODES: readonly VectorMode[] = ["l4", "l5", "pae", "l2"];
const LONG_MODES: readonly VectorMode[] = ["l4", "l5"];

export const CATEGORIES: Readonly<Record<string, CategoryEntry>> = {
  sys: { make: entries.systematic, weight: 6, modes: ALL_MODES },
  rand: { make: entries.random, weight: 4, modes: ALL_MODES },
  rsvd: { make: entries.reserved, weight: 4, modes: ALL_MODES },
  multi: { make: entries.neighbours, weight: 3, modes: ALL_MODES },
  cross: { make: accesses.crossing, weight: 2, modes: ALL_MODES },
  seq: { make: edits.sequence, weight: 6, modes: ALL_MODES },
  root: { make: edits.roots, weight: 1, modes: ALL_MODES },
  upg: { make: edits.upgrade, weight: 2, modes: ALL_MODES },
  smx: { make: accesses.supervisorModes, weight: 3, modes: ALL_MODES },
  noncanon: { make: accesses.nonCanonical, weight: 1, modes: LONG_MODES },
  gb: { make: entries.gigabyte, weight: 1, modes: LONG_MODES },
  pdpte: { make: entries.pdptes, weight: 1, modes: ["pae"] },
  pku: {
    make: accesses.keys,
    weight: 2,
    modes: LONG_MODES,
    isFor: ({ protectionKeys }) => protectionKeys,
  },
};

/** The categories of an oracle in a mode, each as often as it weighs. */
function choicesFor(oracle: Oracle, mode: VectorMode): readonly string[] {
  return Object.entries(CATEGORIES)
    .filter(([, { modes, isFor }]) => modes.includes(mode) && (isFor?.(oracle) ?? true))
    .flatMap(([name, { weight }]) => Array.from({ length: weight }, () => name));
}

/** Cases of one mode stand together: an oracle changes its mode slowly. */
const CASES_PER_MODE = 250;

export function generateCase(oracle: Oracle, seed: number, index: number): VectorCase {
  const dice = new Dice(Random.forPart(seed, index));
  const mode = oracle.modes[Math.floor(index / CASES_PER_MODE) % oracle.modes.length]!;
  const category = dice.pick(choicesFor(oracle, mode));
  const builder = new CaseBuilder(dice, oracle, mode);
  CATEGORIES[category]!.make(builder);
  return builder.finish(`${oracle.name}-${seed}-${index}`, category);
}
