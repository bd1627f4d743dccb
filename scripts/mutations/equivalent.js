// Mutants that no test can tell from the original, each with the reason.

export const EQUIVALENT = {
  "a 4M page's low address bit is 22":
    "bit 21 of a 4-MByte page's entry is reserved (M is 40 at most), so it is 0 when this is reached",
};
