// I1, where nothing is left to do: entries that somebody withdrew and nobody flushed. A flush that
// is never made, or is too short, has no return that could be judged; so the code must flush what
// it withdraws, or say what it relies on (withdrawal.ts). For explorations, whose code may be
// anybody's, and whose executions come to rest.

import { hex, overlap, type PageRange } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { Restore } from "../base/restore.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Mm } from "../kernel/state/mm.ts";
import {
  type CheckerOf,
  type EventOf,
  lookAtNothing,
  type Look,
  type Looks,
  lookAtMappings,
} from "./checker.ts";
import type { CheckerFactory } from "./checkers.ts";
import type { ViolationLog } from "./violation.ts";

const lookAtKernelTranslations = (): readonly Look[] => [{ kind: "kernelTranslations" }];

interface Deferral {
  readonly cpu: number;
  readonly mm: Mm;
  readonly range: PageRange;
}

interface Withdrawal extends Deferral {
  /** How many flushes had begun before it. */
  readonly at: number;
}

type Watched =
  | "entryWithdrawn"
  | "unmapDeferred"
  | "flushBegin"
  | "flushReturn"
  | "kernelFlushBegin"
  | "kernelFlushReturn"
  | "revoked"
  | "pagesFreed"
  | "leftUnflushed"
  | "cameToRest";

/**
 * A flush meets the entries where it invalidates; that order decides what it stands for, whichever
 * of the orders before that is tried.
 */
const LOOKS: Looks<Watched> = {
  entryWithdrawn: lookAtNothing,
  unmapDeferred: lookAtNothing,
  flushBegin: lookAtMappings,
  flushReturn: lookAtNothing,
  kernelFlushBegin: lookAtKernelTranslations,
  kernelFlushReturn: lookAtKernelTranslations,
  revoked: lookAtMappings,
  pagesFreed: lookAtMappings,
  leftUnflushed: lookAtMappings,
  cameToRest: lookAtNothing, // nothing else happens any more
};

class ForgottenFlushChecker implements CheckerOf<Watched> {
  readonly looksAt = LOOKS;
  private owed: readonly Withdrawal[] = [];
  /** What reclaim is about to take away, and has said to flush later: who needs it sooner asks. */
  private deferred: readonly Deferral[] = [];
  /** Flushes begun, and by CPU the number of the last. */
  private begun = 0;
  private readonly lastBegun = new Map<number, number>();

  constructor(
    private readonly initMm: Mm,
    private readonly log: ViolationLog,
  ) {}

  observe(event: EventOf<Watched>, moment: Moment): void {
    const { cpu } = moment;
    switch (event.kind) {
      case "entryWithdrawn":
        return this.withdrawn(event, cpu);
      case "unmapDeferred":
        this.deferred = [...this.deferred, { cpu, mm: event.mm, range: event.range }];
        return;
      case "flushBegin":
      case "kernelFlushBegin":
        this.lastBegun.set(cpu, ++this.begun);
        return;
      case "flushReturn":
        // It goes to the CPUs that run the mm; translations of the kernel half are everybody's.
        if (event.mm !== this.initMm) this.flushed(event.mm, event.range, cpu);
        return;
      case "kernelFlushReturn":
        return this.flushed(this.initMm, event.range, cpu);
      case "revoked":
      case "pagesFreed":
      case "leftUnflushed":
        return this.settle(event.mm, event.range, () => true);
      case "cameToRest":
        // Of an mm that is gone by now nothing is owed, whichever came first.
        for (const one of this.owed) if (!one.mm.freed) this.report(one, moment);
        return;
      default:
        return unreachable(event);
    }
  }

  /** Caller: no flush is in progress. */
  save(): Restore {
    const { owed, begun } = this;
    this.forgetFlushes();
    return () => {
      this.owed = owed;
      this.begun = begun;
      this.forgetFlushes();
    };
  }

  private forgetFlushes(): void {
    this.deferred = [];
    this.lastBegun.clear();
  }

  /**
   * A flush stands for what was withdrawn before it began, and for what its own CPU withdrew: that
   * may have waited in the store buffer, from which the flush has driven it.
   */
  private flushed(mm: Mm, range: PageRange, cpu: number): void {
    const flush = this.lastBegun.get(cpu) ?? this.begun;
    this.settle(mm, range, (one) => one.cpu === cpu || one.at < flush);
  }

  /**
   * Of what `isMeant`, no entry of the range is owed any more; a large page is forgotten as a
   * whole, whatever part of it is flushed.
   */
  private settle(mm: Mm, range: PageRange, isMeant: (one: Withdrawal) => boolean): void {
    if (this.owed.length === 0) return;
    this.owed = this.owed.filter(
      (one) => one.mm !== mm || !overlap(one.range, range) || !isMeant(one),
    );
  }

  private withdrawn({ mm, range }: Omit<Deferral, "cpu">, cpu: number): void {
    const isPutOff = (one: Deferral): boolean =>
      one.cpu === cpu && one.mm === mm && overlap(one.range, range);
    if (this.deferred.some(isPutOff)) this.deferred = this.deferred.filter((one) => !isPutOff(one));
    else this.owed = [...this.owed, { cpu, mm, range, at: this.begun }];
  }

  private report({ cpu, mm, range: { start, end } }: Withdrawal, { cycle }: Moment): void {
    const message =
      `CPU ${cpu} withdrew entries of pages ${hex(start)} to ${hex(end)} (${mm.name}) ` +
      "that were never flushed";
    this.log.report({ invariant: "I1", message, cycle, cpus: [cpu], mm });
  }
}

export const forgottenFlushes: CheckerFactory = {
  name: "forgotten-flushes",
  summary: "what is withdrawn is flushed, or declared",
  create: ({ initMm }, log) => new ForgottenFlushChecker(initMm, log),
};
