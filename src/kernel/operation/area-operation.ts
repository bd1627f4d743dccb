// Operations on the list of areas where others may look at it at the same time: a fault looks for
// its area without mmap_lock (lock_vma_under_rcu). They take no time.

import type { AreaList } from "../state/area.ts";
import type { Mm } from "../state/mm.ts";
import type { KernelCode } from "./operation.ts";

export interface AreaOperation {
  readonly kind: "readAreas" | "changeAreas";
  readonly mm: Mm;
  readonly use: (areas: AreaList) => unknown;
}

/** A look at the list, under whatever lock or none. */
export function* readAreas<T>(mm: Mm, use: (areas: AreaList) => T): KernelCode<T> {
  return (yield { kind: "readAreas", mm, use }) as T;
}
