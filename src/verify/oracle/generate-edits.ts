// Cases about changes: entries rewritten between accesses, with the invalidation that the manual
// requires (SDM 3A 4.10.4), or without where it requires none. No case relies on a translation
// being kept, nor on its being dropped unasked.

import type { CaseBuilder, Path } from "./case-builder.ts";
import * as bit from "./geometry.ts";
import { isPdpteOfPae, page, rewrite, rights, type Category } from "./generate-entries.ts";
import type { DataOperation } from "../vectors/vector.ts";

interface Page {
  readonly address: bigint;
  readonly path: Path;
}

/** Pages whose paths share no table but the root; some are global. */
function pages(the: CaseBuilder, count: number): readonly Page[] {
  const made: Page[] = [];
  const slots = new Set<number>();
  while (made.length < count) {
    const shift = the.pageShift();
    const address = the.address(shift);
    const slot = bit.indexAt(the.levels[0]!, address);
    if (slots.has(slot)) continue;
    slots.add(slot);
    const path = the.path(address, shift);
    const leaf = the.leaf(shift) | bit.OPEN_TABLE | the.dice.flags([bit.GLOBAL, bit.ACCESSED], 3);
    the.set(path.at(-1)!.address, leaf);
    made.push({ address, path });
  }
  return made;
}

/** Drops all translations that the case's addresses have, in one of the manual's ways. */
function invalidateAll(the: CaseBuilder, all: readonly Page[], cr4: bigint): void {
  if (the.dice.once(2)) {
    for (const { address } of all) the.operations.push({ kind: "invlpg", address });
    return;
  }
  the.operations.push({ kind: "cr4", value: cr4 ^ bit.CR4_GLOBAL }, { kind: "cr4", value: cr4 });
}

/** What a page's own entry is changed to: another page, or other rights. */
function editedLeaf(the: CaseBuilder, { path }: Page): bigint {
  const { address, shift } = path.at(-1)!;
  if (the.dice.once(3)) return the.leaf(shift) | rights(the, 6);
  const old = the.entries.get(address)!;
  const choices = [bit.PRESENT, bit.WRITABLE, bit.USER, bit.ACCESSED, bit.DIRTY, bit.GLOBAL];
  if (the.noExecute) choices.push(bit.NO_EXECUTE);
  return old ^ the.dice.pick(choices);
}

function editedTable(the: CaseBuilder, address: bigint): bigint {
  const choices = [bit.PRESENT, bit.WRITABLE, bit.USER, bit.ACCESSED];
  if (the.noExecute) choices.push(bit.NO_EXECUTE);
  return the.entries.get(address)! ^ the.dice.pick(choices);
}

/** Changes an entry of a page, or WP, NXE, SMEP or SMAP, and invalidates. */
class Editor {
  private readonly initial: ReadonlyMap<bigint, bigint>;
  /** On KVM under PVM, bit 63 outlives EFER.NXE for user accesses: only supervisors follow. */
  isSupervisorOnly = false;

  constructor(
    private readonly the: CaseBuilder,
    private readonly all: readonly Page[],
    private control = { cr0: the.cr0, cr4: the.cr4, efer: the.efer },
  ) {
    this.initial = new Map(the.entries);
  }

  edit(edited: Page): void {
    const { dice } = this.the;
    if (dice.once(8)) this.editControl();
    else if (dice.once(3)) this.editTable(edited);
    else this.editLeaf(edited);
  }

  /** The case starts with the entries as they were before the edits. */
  finish(): void {
    for (const [address, value] of this.initial) this.the.set(address, value);
  }

  private write(address: bigint, value: bigint): void {
    this.the.set(address, value);
    this.the.operations.push({ kind: "entry", address, value });
  }

  private editLeaf(edited: Page): void {
    const { the } = this;
    this.write(edited.path.at(-1)!.address, editedLeaf(the, edited));
    const isGlobalPossible = (this.control.cr4 & bit.CR4_GLOBAL) !== 0n;
    if (!isGlobalPossible && the.dice.once(2)) the.operations.push({ kind: "cr3", value: the.cr3 });
    else if (the.dice.once(4)) invalidateAll(the, this.all, this.control.cr4);
    else the.operations.push({ kind: "invlpg", address: edited.address });
  }

  private editTable(edited: Page): void {
    const { the } = this;
    const tables = edited.path.slice(0, -1).filter(({ shift }) => !isPdpteOfPae(the, shift));
    if (tables.length === 0) return;
    const { address } = the.dice.pick(tables);
    this.write(address, editedTable(the, address));
    invalidateAll(the, this.all, this.control.cr4);
  }

  private editControl(): void {
    const { the, control } = this;
    const choices = ["cr0", "cr4", "cr4", "efer"] as const;
    const register = the.dice.pick(the.mode === "l2" ? choices.slice(0, 3) : choices);
    if (register === "cr0") control.cr0 ^= bit.CR0_WRITE_PROTECT;
    if (register === "cr4") control.cr4 ^= the.dice.pick([bit.CR4_SMEP, bit.CR4_SMAP]);
    if (register === "efer") {
      control.efer ^= bit.EFER_NO_EXECUTE;
      this.isSupervisorOnly = the.oracle.name === "kvm";
    }
    the.operations.push({ kind: register, value: control[register] });
    invalidateAll(the, this.all, control.cr4);
  }
}

/** Accesses, an edit with its invalidation, accesses, and so on. */
export const sequence: Category = (the) => {
  const { dice } = the;
  const all = pages(the, 1 + dice.below(3));
  const editor = new Editor(the, all);
  const accesses = (edited: Page, count: number): void => {
    for (let index = 0; index < count; index++) {
      const { address } = dice.once(4) ? dice.pick(all) : edited;
      the.access(address, editor.isSupervisorOnly ? { user: false } : {});
    }
  };
  for (let round = 1 + dice.below(5); round > 0; round--) {
    const edited = dice.pick(all);
    accesses(edited, 1 + dice.below(3));
    editor.edit(edited);
    accesses(edited, 1 + dice.below(2));
  }
  editor.finish();
};

/** Two roots that map an address differently, and MOV to CR3 between them. No page is global. */
export const roots: Category = (the) => {
  const { dice } = the;
  const shift = the.pageShift();
  const address = the.address(shift);
  const both = [the.cr3, the.newRoot()];
  for (const cr3 of both) rewrite(the, the.path(address, shift, cr3), 6);
  for (let round = 2 + dice.below(4); round > 0; round--) {
    for (let count = 1 + dice.below(2); count > 0; count--) the.access(address);
    if (round > 1) the.operations.push({ kind: "cr3", value: both[round % 2]! });
  }
};

/** A right that one entry withholds, and the access that misses it. */
function defects(the: CaseBuilder): readonly { flag: bigint; access: Partial<DataOperation> }[] {
  const all: { flag: bigint; access: Partial<DataOperation> }[] = [
    { flag: bit.PRESENT, access: {} },
    { flag: bit.WRITABLE, access: { kind: "write", user: true } },
    { flag: bit.USER, access: { user: true } },
  ];
  if (the.noExecute) all.push({ flag: bit.NO_EXECUTE, access: { kind: "execute" } });
  return all;
}

/** Grants more after a fault, without invalidation: the fault itself dropped what was cached. Or
 *  reads before it writes: D is set by the write although the translation is cached. */
export const upgrade: Category = (the) => {
  const { dice } = the;
  const { address, path } = page(the, 1_000_000);
  if (dice.once(4)) {
    the.access(address, { kind: dice.pick(["read", "execute"]) });
    the.access(address, { kind: dice.pick(["write", "add"]) });
    the.access(address);
    return;
  }
  const upgradable = path.filter(({ shift }) => !isPdpteOfPae(the, shift));
  const { address: entry } = dice.pick(upgradable);
  const { flag, access } = dice.pick(defects(the));
  // Accessed from the start: a grant that is written later must not take A away.
  const granted = (the.entries.get(entry)! & ~bit.NO_EXECUTE) | bit.ACCESSED;
  the.set(entry, granted ^ flag);
  if (flag !== bit.PRESENT && dice.once(2)) the.access(address, { kind: "read", user: false });
  the.access(address, access);
  the.operations.push({ kind: "entry", address: entry, value: granted });
  for (let count = 1 + dice.below(2); count > 0; count--) the.access(address);
};
