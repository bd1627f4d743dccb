// Mutants that no test can tell from the original, each with the reason.

const GIVES_UP =
  "the short walk then always gives up, and the whole one does the same, only slower";

const LOOKS = "keys are then looked at where they forbid nothing, and keyForbids says so";

export const EQUIVALENT = {
  "a 4M page's low address bit is 22":
    "bit 21 of a 4-MByte page's entry is reserved (M is 40 at most), so it is 0 when this is reached",
  "page masks count 4K pages":
    "who steps over what is absent or large takes more steps and finds the same",
  "no PDPTE cache in PAE mode": "walks begin at level 2 there, so its cache is never filled",
  "for (let level: u32 = 1; level < top; level++) { => for (let level: u32 = 0; level < top; level++) {":
    "in front of the first structure cache's shape is memory that is 0: a cache without entries",
  "const keys = mayKeysForbid(core) ? KEY_TEST : 0; => const keys = mayKeysForbid(core) ? KEY_TEST : 1;":
    "bit 0 is PRESENT, which is required anyway",
  "const path = combineRights(above & RIGHTS, entry) | (above & CONDEMNED); => const path = combineRights(above & RIGHTS, entry) | (above | CONDEMNED);":
    GIVES_UP,
  "const unfit = ((data ^ required) & tested) | (entry & GLOBAL) | (~entry & ACCESSED); => const unfit = ((data ^ required) | tested) | (entry & GLOBAL) | (~entry & ACCESSED);":
    GIVES_UP,
  "const unfit = ((data ^ required) & tested) | (entry & GLOBAL) | (~entry & ACCESSED); => const unfit = ((data ^ required) & tested) | (entry & GLOBAL) | (~entry | ACCESSED);":
    GIVES_UP,
  "if ((unfit | (entry & load<u64>(reservedAt(core, 1, 0)))) != 0) return 0; => if ((unfit | (entry | load<u64>(reservedAt(core, 1, 0)))) != 0) return 0;":
    GIVES_UP,
  "const data = (entry & (ADDRESS_BITS | ACCESSED | DIRTY | KEY)) | path; => const data = (entry & (ADDRESS_BITS | ACCESSED | DIRTY | KEY)) & path;":
    GIVES_UP,
  "const user = (core.cr4 & CR4_USER_KEYS) != 0 && core.pkru != 0; => const user = (core.cr4 & CR4_USER_KEYS) != 0 || core.pkru != 0;":
    LOOKS,
  "const user = (core.cr4 & CR4_USER_KEYS) != 0 && core.pkru != 0; => const user = (core.cr4 | CR4_USER_KEYS) != 0 && core.pkru != 0;":
    LOOKS,
  "export const CR0_PROTECTION: u64 = 1 << 0; => export const CR0_PROTECTION: u64 = 1 >> 0;":
    "1 either way",
  "canonical in long mode": "elsewhere a linear address has 32 bits, canonical by any width",
  "SMEP is the supervisor's": "user accesses require U/S = 1, so it is tested already",
  "SMAP is the supervisor's": "the same",
};
