// One access as rows of two sides: for each level what the machine loaded, and what the reference
// model makes of the same entry; below them what each came to.

import { hex } from "../base/address.ts";
import type { MachineWalk } from "../machine/walk-log.ts";
import { entryName, type Level, SHAPES } from "../reference/entry.ts";
import type { Rights } from "../reference/rights.ts";
import type { Step, Walk } from "../reference/walk.ts";
import { describeFault } from "../verify/vectors/compare.ts";
import type { AccessSides } from "../verify/vectors/side-by-side.ts";

export interface WalkRow {
  /** The name of the entry; empty below the entries. */
  readonly entry: string;
  readonly machine: string;
  readonly reference: string;
}

const PAGE_BYTES = 4096n;
/** Where a PAE walk ends that has not begun. */
const PDPTE_LEVEL = 3;
const PRESENT = 1n << 0n;
const ACCESSED = 1n << 5n;
const DIRTY = 1n << 6n;

/** The explanation of what `referenceCell` abbreviates. */
export const LEGEND =
  "W writable, U user, X executable by the entries so far; +A, +D: set by the walk";

/** The pages that the access got to one after the other, then its outcome. */
export function walkRows(sides: AccessSides): readonly WalkRow[] {
  const { machine, reference } = sides;
  const pages = reference.walks.flatMap((walk) => pageRows(sides, walk));
  const outcome = { entry: "", machine: machineOutcome(sides), reference: referenceOutcome(sides) };
  const hasWalked = machine.walk !== undefined || reference.walks.length > 0;
  return hasWalked ? [...pages, outcome] : [outcome];
}

function pageRows({ machine }: AccessSides, walk: Walk): readonly WalkRow[] {
  const walked = [machine.firstWalk, machine.walk].find(
    (one) => one !== undefined && one.address / PAGE_BYTES === walk.address / PAGE_BYTES,
  );
  return SHAPES[walk.mode].levels.map((level, index) => ({
    entry: entryName(level),
    machine: walked ? machineCell(walked, level) : index === 0 ? "in a TLB" : "",
    reference: referenceCell(walk.steps.find((step) => step.level === level)),
  }));
}

/** What the machine loaded; what it began below; nothing once it had ended. */
function machineCell({ startLevel, steps }: MachineWalk, level: Level): string {
  const step = steps.find((one) => one.level === level);
  if (step !== undefined) return `${hex(step.address)} ${hex(step.value)} ${step.cycles} cycles`;
  if (startLevel === 0) return level === PDPTE_LEVEL ? "register, not present" : "";
  return level > startLevel ? "not loaded" : "";
}

function referenceCell(step: Step | undefined): string {
  if (step === undefined) return "";
  const place = step.address === undefined ? "register" : hex(step.address);
  return `${place} ${hex(step.value)} ${describeUse(step)}`;
}

function describeUse({ value, reserved, rights, flags }: Step): string {
  if ((value & PRESENT) === 0n) return "not present";
  if (reserved !== 0n) return `reserved ${hex(reserved)}`;
  const accessed = (flags & ACCESSED) === 0n ? "" : " +A";
  return `${describeRights(rights)}${accessed}${(flags & DIRTY) === 0n ? "" : " +D"}`;
}

const describeRights = ({ writable, user, executable }: Rights): string =>
  `${writable ? "W" : "-"}${user ? "U" : "-"}${executable ? "X" : "-"}`;

function machineOutcome({ machine: { result } }: AccessSides): string {
  if (result.fault !== undefined) return describeFault(result.fault);
  const { cycles, source } = result;
  const from = { l1: "first-level TLB", l2: "second-level TLB", walk: "walk" }[source];
  return `${describePlace(result)}, ${from}, ${cycles} cycles`;
}

function referenceOutcome({ reference: { outcome, walks } }: AccessSides): string {
  if (outcome.fault === undefined) {
    const isPaged = walks.some(({ steps }) => steps.length > 0);
    return `${describePlace(outcome.reached)}${isPaged ? "" : ", paging is off"}`;
  }
  const last = walks.at(-1)?.outcome;
  const cause = last?.fault === undefined ? "not canonical" : last.refusal;
  return `${describeFault(outcome.fault)}, ${cause}`;
}

const describePlace = ({
  physical,
  secondPhysical,
}: {
  readonly physical: bigint;
  readonly secondPhysical?: bigint;
}): string =>
  `${hex(physical)}${secondPhysical === undefined ? "" : ` and ${hex(secondPhysical)}`}`;
