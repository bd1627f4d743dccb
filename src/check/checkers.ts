// The checkers that watch a run.

import type { Observer } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { Restore } from "../base/restore.ts";
import { DeadlockChecker } from "./deadlock.ts";
import { FreedMmChecker } from "./freed-mm.ts";
import { FreedTableChecker } from "./freed-table.ts";
import { KernelTranslationChecker } from "./kernel-translation.ts";
import { LeftOver } from "./left-over.ts";
import { MaskChecker } from "./mm-cpumask.ts";
import { PrevMmChecker } from "./prev-mm.ts";
import { ReferenceChecker } from "./reference-balance.ts";
import { Roots } from "./roots.ts";
import { SlotGenerationChecker } from "./slot-generation.ts";
import { StaleTranslationChecker } from "./stale-translation.ts";
import type { ViolationLog } from "./violation.ts";

export interface Checkers {
  readonly observers: readonly Observer[];
  readonly references: ReferenceChecker;
  /** See save.ts of the kernel. */
  save(): Restore;
}

/** Makes a checker of somebody's own for one run. */
export interface CheckerFactory {
  readonly name: string;
  /** What must never happen, in one sentence. */
  readonly summary: string;
  create(kernel: Kernel, log: ViolationLog): Checker;
}

/** A checker of one run: it sees every event, and reports to the log that it was made with. */
export interface Checker extends Observer {
  /** Its own variables, for the explorer, which runs the same code many times. */
  save(): Restore;
}

/** Every checker, reporting to `log`: the package's, and those that `own` makes. */
export function checkersFor(
  kernel: Kernel,
  log: ViolationLog,
  own: readonly CheckerFactory[] = [],
): Checkers {
  const roots = new Roots(kernel);
  const leftOver = new LeftOver();
  const references = new ReferenceChecker(kernel, log);
  const translations = new StaleTranslationChecker(kernel, log, roots, leftOver);
  const slots = new SlotGenerationChecker(kernel, log, roots, leftOver);
  const masks = new MaskChecker(kernel, log, roots);
  const prevMms = new PrevMmChecker(kernel, log);
  const others = own.map((factory) => factory.create(kernel, log));
  const observers = [
    translations,
    slots, // after the translations, which it finds condemned
    masks,
    prevMms,
    new FreedTableChecker(kernel, log),
    new KernelTranslationChecker(kernel, log),
    new FreedMmChecker(log),
    references,
    new DeadlockChecker(log),
    ...others,
  ];
  const parts = [...others, roots, leftOver, translations, slots, masks, prevMms];
  return {
    observers,
    references,
    save() {
      const restores = parts.map((part) => part.save());
      return () => {
        for (const restore of restores) restore();
      };
    },
  };
}
