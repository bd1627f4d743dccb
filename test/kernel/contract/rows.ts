// Every exported function of kernel code, by file: what it needs, or why it needs nothing.

import type { Contract, Rows } from "./contract.ts";
import { CPU_ROWS } from "./cpu-rows.ts";
import { LOCKING_ROWS, MEMORY_ROWS, OPERATION_ROWS } from "./memory-rows.ts";
import { PROCESS_ROWS } from "./process-rows.ts";
import { SHOOTDOWN_ROWS } from "./shootdown-rows.ts";

export const ROWS: Rows = {
  ...CPU_ROWS,
  ...LOCKING_ROWS,
  ...MEMORY_ROWS,
  ...OPERATION_ROWS,
  ...PROCESS_ROWS,
  ...SHOOTDOWN_ROWS,
};

/** Those that need something: `cpu/smp callMany`, and its contract. */
export const CONTRACTS: readonly (readonly [string, Contract])[] = Object.entries(ROWS).flatMap(
  ([file, functions]) =>
    typeof functions === "string"
      ? []
      : Object.entries(functions).flatMap(([name, row]) =>
          typeof row === "string" ? [] : [[`${file} ${name}`, row] as const],
        ),
);
