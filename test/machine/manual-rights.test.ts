// SDM 3A 4.6 in full, against the reference model: every combination of rights over two levels with
// every control bit and kind of access, when the translation is walked for and when it is cached.

import { describe, expect, test } from "vitest";
import type { Access, ControlRegisters } from "../../src/base/architecture.ts";
import { CR0, CR4 } from "../../src/reference/registers.ts";
import { access, type Mode, NXE, P, registersOf, RW, US, XD } from "../reference/space.ts";
import { Both, text } from "./both.ts";

const ADDRESS = 0x40_0000n;
const KEY = 3n << 59n;
const FLAGS = [0n, RW, US, RW | US, XD, XD | RW, XD | US, XD | RW | US];

const CALLERS: readonly Partial<Access>[] = [
  { user: true },
  { user: true, alignmentCheck: true },
  { user: false },
  { user: false, alignmentCheck: true },
  { user: false, implicit: true },
  { user: true, implicit: true, alignmentCheck: true },
];
const ACCESSES = (["read", "write", "execute"] as const).flatMap((kind) =>
  CALLERS.map((caller) => access(kind, ADDRESS, caller)),
);

interface Setting {
  readonly what: string;
  readonly mode: Mode;
  readonly registers: Partial<ControlRegisters>;
  /** Flags of the entry above; all of them unless the setting is about keys. */
  readonly aboves: readonly bigint[];
}

const setting = (mode: Mode, bits: bigint, changed: Partial<ControlRegisters> = {}): Setting => {
  const { cr0, cr4 } = registersOf(mode);
  const given = { cr0: cr0 ^ (bits & CR0.WP), cr4: cr4 | (bits & ~CR0.WP), ...changed };
  const what = `${mode} mode, CR4 ${given.cr4.toString(16)}, WP ${(given.cr0 & CR0.WP) !== 0n}`;
  const aboves = (given.cr4 & (CR4.PKE | CR4.PKS)) === 0n ? FLAGS : [RW | US, RW];
  return { what, mode, registers: given, aboves };
};

const SMXP = [0n, CR4.SMEP, CR4.SMAP, CR4.SMEP | CR4.SMAP];
const KEYS = [CR4.PKE, CR4.PKS, CR4.PKE | CR4.PKS];
/** Disabled access, disabled writes, both, and another key's. */
const KEY_RIGHTS = [1n << 6n, 2n << 6n, 3n << 6n, 0xffff_ff3fn];

const SETTINGS: readonly Setting[] = [
  ...(["4-level", "PAE", "32-bit"] as const).flatMap((mode) =>
    SMXP.flatMap((bits) => [setting(mode, bits), setting(mode, bits | CR0.WP)]),
  ),
  setting("4-level", CR4.SMEP, { efer: registersOf("4-level").efer & ~NXE }),
  setting("PAE", 0n, { efer: 0n }),
  ...[0n, CR0.WP].flatMap((bits) =>
    KEYS.flatMap((keys) =>
      KEY_RIGHTS.flatMap((rights) => [
        setting("5-level", bits | keys, { pkru: rights }),
        setting("5-level", bits | keys, { pkrs: rights }),
        setting("5-level", bits | keys, { pkru: rights, pkrs: rights ^ (3n << 6n) }),
      ]),
    ),
  ),
  setting("PAE", CR4.PKE | CR4.PKS, { pkru: 0xffff_ffffn, pkrs: 0xffff_ffffn }),
];

describe.each(SETTINGS)(
  "with $what, keys $registers.pkru $registers.pkrs",
  ({ mode, registers, aboves }) => {
    const own = mode === "32-bit" ? (1n << 32n) - 1n : (1n << 64n) - 1n;
    test.each([false, true])("the translation cached: %s", (cached) => {
      const both = new Both(mode, registers);
      const { machine } = both.machine;
      const allowing = registersOf(mode, { efer: registers.efer ?? registersOf(mode).efer });
      both.map({ address: ADDRESS, leaf: 0n });
      const given = { ...machine.registers(0) };
      const directory = directoryOf(mode);
      const wrong: string[] = [];
      for (const above of aboves) {
        both.put(ADDRESS, 2, (directory | P | above) & own);
        for (const flags of FLAGS) {
          for (const made of ACCESSES) {
            const leaf = (0x7_7000n | P | flags | (mode === "PAE" ? 0n : KEY)) & own;
            both.put(ADDRESS, 1, leaf);
            both.forget();
            if (cached) {
              machine.setRegisters(0, { ...allowing, cr3: given.cr3 });
              both.machine.access(access(made.kind === "execute" ? "execute" : "read", ADDRESS));
              machine.setRegisters(0, given);
            }
            const [found, wanted] = both.access(made);
            if (text(found) !== text(wanted)) {
              wrong.push(text({ made, above, flags, found, wanted }));
            }
          }
        }
      }
      expect(wrong).toEqual([]);
    });
  },
);

const directoryOf = (mode: Mode): bigint =>
  mode === "32-bit"
    ? 0x1_1000n
    : mode === "PAE"
      ? 0x1_2000n
      : mode === "4-level"
        ? 0x1_3000n
        : 0x1_4000n;
