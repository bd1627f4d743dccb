// The checkers that watch a run.

import type { Observer } from "../kernel/event.ts";
import type { KernelState } from "../kernel/kernel.ts";
import type { Restore } from "../kernel/save.ts";
import { DeadlockChecker } from "./deadlock.ts";
import { FreedMmChecker } from "./freed-mm.ts";
import { FreedTableChecker } from "./freed-table.ts";
import { KernelTranslationChecker } from "./kernel-translation.ts";
import { ReferenceChecker } from "./reference-balance.ts";
import { StaleTranslationChecker } from "./stale-translation.ts";
import type { ViolationLog } from "./violation.ts";

export interface Checkers {
  readonly observers: readonly Observer[];
  readonly references: ReferenceChecker;
  /** See save.ts of the kernel. */
  save(): Restore;
}

/** Every checker, reporting to `log`. */
export function checkersFor(kernel: KernelState, log: ViolationLog): Checkers {
  const references = new ReferenceChecker(kernel, log);
  const translations = new StaleTranslationChecker(kernel, log);
  const observers = [
    translations,
    new FreedTableChecker(kernel, log),
    new KernelTranslationChecker(kernel, log),
    new FreedMmChecker(log),
    references,
    new DeadlockChecker(log),
  ];
  return { observers, references, save: () => translations.save() };
}
