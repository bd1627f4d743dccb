// The checkers that watch a run.

import type { Restore } from "../base/restore.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import { type Checker, Watch } from "./checker.ts";
import { DeadlockChecker } from "./deadlock.ts";
import { FreedMmChecker } from "./freed-mm.ts";
import { FreedTableChecker } from "./freed-table.ts";
import { KernelTranslationChecker } from "./kernel-translation.ts";
import { LeftOver } from "./left-over.ts";
import { MaskChecker } from "./mm-cpumask.ts";
import { PreconditionChecker } from "./precondition.ts";
import { PrevMmChecker } from "./prev-mm.ts";
import { ReferenceChecker } from "./reference-balance.ts";
import { Roots } from "./roots.ts";
import { SlotGenerationChecker } from "./slot-generation.ts";
import { StaleTranslationChecker } from "./stale-translation.ts";
import type { ViolationLog } from "./violation.ts";

export interface Checkers {
  readonly watch: Watch;
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

/** Every checker, reporting to `log`: the package's, and those that `own` makes. */
export function checkersFor(
  kernel: Kernel,
  log: ViolationLog,
  own: readonly CheckerFactory[] = [],
): Checkers {
  const roots = new Roots(kernel);
  const leftOver = new LeftOver();
  const references = new ReferenceChecker(kernel, log);
  const watch = new Watch([
    new StaleTranslationChecker(kernel, log, roots, leftOver),
    // After the translations, which it finds condemned.
    new SlotGenerationChecker(kernel, log, roots, leftOver),
    new MaskChecker(kernel, log, roots),
    new PrevMmChecker(kernel, log),
    new FreedTableChecker(kernel, log),
    new KernelTranslationChecker(kernel, log),
    new FreedMmChecker(log),
    references,
    new DeadlockChecker(log),
    new PreconditionChecker(log),
    ...own.map((factory) => factory.create(kernel, log)),
  ]);
  return {
    watch,
    references,
    save() {
      const restores = [roots.save(), leftOver.save(), watch.save()];
      return () => {
        for (const restore of restores) restore();
      };
    },
  };
}
