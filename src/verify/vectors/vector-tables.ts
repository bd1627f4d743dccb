// A description of tables that a person wrote: a case of the vector format in which whatever is
// usual may be left out. Only `cr3` and `mem` have to be said.

import { BadInput } from "../../base/bad-input.ts";
import { readCase } from "./parse.ts";
import type { VectorCase, VectorMode } from "./vector.ts";

const ALWAYS = { id: "tables", vendor: "intel", maxphy: 46, ops: [] } as const;

/** PG, WP, ET, PE; PAE and PGE (PSE without PAE); SCE, LME, LMA, NXE. */
const USUAL: Readonly<Record<VectorMode, object>> = {
  l4: { cr0: "0x80010011", cr4: "0xa0", efer: "0xd01" },
  l5: { cr0: "0x80010011", cr4: "0x10a0", efer: "0xd01" },
  pae: { cr0: "0x80010011", cr4: "0xa0", efer: "0x800" },
  l2: { cr0: "0x80010011", cr4: "0x90", efer: "0x0" },
};

export function parseTables(path: string, text: string): VectorCase {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new BadInput(path, text.trim(), 'a JSON object, as in {"cr3": "0x1000", "mem": [...]}');
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new BadInput(path, given, 'a JSON object, as in {"cr3": "0x1000", "mem": [...]}');
  }
  const mode = "mode" in given ? String(given.mode) : "l4";
  const usual = USUAL[mode as VectorMode] ?? {};
  return readCase(path, { ...ALWAYS, mode, ...usual, ...given });
}
