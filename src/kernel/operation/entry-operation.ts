// Operations on leaf entries of page tables. Those that all kernel code uses are in operation.ts,
// here are those that few need.

import type { PageNumber } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import type { SinglePath } from "../../machine/single-path.ts";
import type { Mm } from "../state/mm.ts";
import type { KernelCode } from "./operation.ts";

export type EntryOperation =
  | { readonly kind: "readEntry"; readonly mm: Mm; readonly page: PageNumber }
  | {
      readonly kind: "writeEntry" | "exchangeEntry";
      readonly mm: Mm;
      readonly page: PageNumber;
      readonly entry: bigint;
      readonly size: PageSize;
    }
  | {
      readonly kind: "updateEntry";
      readonly mm: Mm;
      readonly page: PageNumber;
      readonly update: (old: bigint) => bigint;
      readonly size: PageSize;
    }
  | {
      readonly kind: "linkPath";
      readonly path: SinglePath;
      readonly page: PageNumber;
      /** Null: the path is unlinked. */
      readonly entry: bigint | null;
      readonly size: PageSize;
    };

/**
 * ptep_set_wrprotect and its like: a LOCK-prefixed operation on a leaf entry, which loses nothing
 * that the hardware notes in it meanwhile. Full barrier. Returns the old entry.
 */
export function* updateEntry(
  mm: Mm,
  page: PageNumber,
  update: (old: bigint) => bigint,
  size: PageSize,
): KernelCode<bigint> {
  return (yield { kind: "updateEntry", mm, page, update, size }) as bigint;
}

/** This CPU's own path leads to `page` by `entry`. */
export function* linkPath(
  path: SinglePath,
  page: PageNumber,
  entry: bigint,
  size: PageSize,
): KernelCode {
  yield { kind: "linkPath", path, page, entry, size };
}

/** This CPU's own path leads to `page` no longer. */
export function* unlinkPath(path: SinglePath, page: PageNumber, size: PageSize): KernelCode {
  yield { kind: "linkPath", path, page, entry: null, size };
}
