// A walk explanation as text: the way down, level by level, as the manual draws it.

import { hex } from "../base/address.ts";
import type { Fault } from "../base/architecture.ts";
import type { EntryBit } from "../reference/entry-bits.ts";
import type { Rights } from "../reference/rights.ts";
import type { ExplainedStep, WalkExplanation } from "./walk-explanation.ts";

export function formatWalk(walk: WalkExplanation): string {
  const { address, mode, cr3, source, start, steps, cycles } = walk;
  const lines = [
    `${accessName(walk)} of ${hex(address)}, ${modeName(mode)}, CR3 ${hex(cr3)}`,
    start === undefined ? source : `${source}, from ${start}`,
    ...steps.flatMap(stepLines),
    "",
    outcomeLine(walk),
    `${cycles} cycles in all`,
  ];
  return `${lines.join("\n")}\n`;
}

function accessName({ access }: WalkExplanation): string {
  const { kind, user, implicit, locked, bytes = 1 } = access;
  const who = implicit === true ? "implicit supervisor" : user ? "user" : "supervisor";
  const size = `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  return `${locked === true ? "locked " : ""}${who} ${kind} of ${size}`;
}

const modeName = (mode: WalkExplanation["mode"]): string =>
  mode === "none" ? "paging off" : `${mode} paging`;

function stepLines(step: ExplainedStep): string[] {
  const { entry, address, value, bits, rights, loadedFrom, cycles } = step;
  const head = `${entry.padEnd(5)} at ${hex(address)} = ${hex(value)}`;
  return [
    "",
    `${head}   from ${loadedFrom}, ${cycles} cycles`,
    ...bits.map(bitLine),
    `      so far    ${rightsName(rights)}`,
  ];
}

function bitLine({ name, value, meaning }: EntryBit): string {
  const shown = value > 9n ? hex(value) : String(value);
  return `      ${name.padEnd(8)}  ${shown.padEnd(3)} ${meaning}`;
}

function rightsName({ writable, user, executable }: Rights): string {
  const allowed = ["read", ...(writable ? ["write"] : []), ...(executable ? ["fetch"] : [])];
  return `${allowed.join(", ")}; ${user ? "user and supervisor" : "supervisor only"}`;
}

function outcomeLine({ physical, secondPhysical, fault }: WalkExplanation): string {
  if (fault !== undefined) return describeFault(fault);
  const second = secondPhysical === undefined ? "" : `, then ${hex(secondPhysical)}`;
  return `physical address ${hex(physical!)}${second}`;
}

const CAUSES: readonly (readonly [number, string, string])[] = [
  [1, "not present", "present"],
  [2, "", "write"],
  [4, "supervisor", "user"],
  [8, "", "reserved bit"],
  [16, "", "instruction fetch"],
  [32, "", "protection key"],
];

function describeFault({ vector, errorCode, address }: Fault): string {
  if (vector === 12) return "#SS(0): the address is not canonical, through SS";
  if (vector === 13) return "#GP(0): the address is not canonical";
  const causes = CAUSES.map(([mask, clear, set]) => ((errorCode & mask) === 0 ? clear : set));
  const named = causes.filter((cause) => cause !== "").join(", ");
  return `#PF, error code ${hex(errorCode)} (${named}), CR2 ${hex(address!)}`;
}
