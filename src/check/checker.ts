// What a checker is: it watches a run from outside, and declares what it looks at. A search that
// leaves out orders of steps that commute goes by the declaration: what an event is judged by must
// not change places with the event. So a checker gets no event that it has not declared.

import type { PageRange } from "../base/address.ts";
import type { Restore } from "../base/restore.ts";
import type { KernelEvent, Moment, Observer } from "../kernel/operation/event.ts";
import type { Mm } from "../kernel/state/mm.ts";

/**
 * State that is not the event's own. What belongs to the CPU of the event (its run queue, its CR3,
 * what the checker has noted of it) needs no look: steps of one CPU never change places.
 */
export type Look =
  /** Which translations of an mm are out of date. Whoever uses one meets it. */
  | { readonly kind: "translations"; readonly mm: Mm }
  /**
   * More of them are out of date by this event: by the return of a flush, or without one. Events of
   * the same kind may come in any order; one that is met by the other finds what is left to find.
   */
  | { readonly kind: "condemns"; readonly mm: Mm; readonly returned: boolean }
  /** The same of every live mm, by the return of a flush. */
  | { readonly kind: "condemnsEveryMms" }
  /** A claim of what the CPU of the event holds in the current PCID. */
  | { readonly kind: "claims" }
  /** As translations, of the kernel half. */
  | { readonly kind: "kernelTranslations" }
  /**
   * What the entries of a range hold, as far as somebody may have cached it: an entry that appears
   * where none was is met only while somebody may hold an older one. The same of every entry, and
   * of every live mm.
   */
  | { readonly kind: "mappings"; readonly mm: Mm; readonly range?: PageRange }
  | { readonly kind: "everyMmsMappings" }
  /** Somebody else is to forget what they held: for those who look at mappings, a change. */
  | { readonly kind: "leavesMappings"; readonly mm: Mm; readonly range: PageRange }
  /** What each CPU has in CR3, or also what it has cached. */
  | { readonly kind: "roots" }
  | { readonly kind: "tlbs" }
  /** Its mm_cpumask. */
  | { readonly kind: "cpumask"; readonly mm: Mm }
  /** What code the CPU of the event is in: an interrupt, switch_mm. The event may change it. */
  | { readonly kind: "ownPlace" }
  /** What code those CPUs are in that have the mm in CR3 and are not in its mm_cpumask. */
  | { readonly kind: "placesOutsideMask"; readonly mm: Mm }
  /** Whether the mm has been freed. */
  | { readonly kind: "lifetime"; readonly mm: Mm }
  /** The end of its lifetime. Whoever has a pointer to the mm, or uses its variables, meets it. */
  | { readonly kind: "free"; readonly mm: Mm };

export type EventKind = KernelEvent["kind"];
export type EventOf<Kind extends EventKind> = KernelEvent & { readonly kind: Kind };

/** By kind of event: what a checker looks at when it observes one. */
export type Looks<Kind extends EventKind> = {
  readonly [Each in Kind]: (event: EventOf<Each>) => readonly Look[];
};

/** A checker of events of these kinds. */
export interface CheckerOf<Kind extends EventKind> {
  readonly looksAt: Looks<Kind>;
  /** Called for events of these kinds, in the order in which things happen. */
  observe(event: EventOf<Kind>, moment: Moment): void;
  /** What it has noted until now, for an executor that runs the same code many times. */
  save(): Restore;
}

export interface Checker {
  readonly looksAt: Partial<Looks<EventKind>>;
  observe(event: KernelEvent, moment: Moment): void;
  save(): Restore;
}

/** What an event about pages has. */
interface Pages {
  readonly mm: Mm;
  readonly range: PageRange;
}

/** Nothing but what belongs to the CPU of the event. */
export const lookAtNothing = (): readonly Look[] => [];
export const lookAtTranslations = ({ mm }: { readonly mm: Mm }): readonly Look[] => [
  { kind: "translations", mm },
];
/** What changes after this moment is told apart from what had changed before. */
export const lookAtMappings = ({ mm, range }: Pages): readonly Look[] => [
  { kind: "mappings", mm, range },
];
export const lookAtAllMappings = (): readonly Look[] => [{ kind: "everyMmsMappings" }];
/** What CPUs have cached is compared with the tables, and condemned where it is out of date. */
export const lookAtCached = ({ mm, range }: Pages): readonly Look[] => [
  { kind: "condemns", mm, returned: false },
  { kind: "mappings", mm, range },
];
/** The same when a flush returns. */
export const lookAtFlushed = ({ mm, range }: Pages): readonly Look[] => [
  { kind: "condemns", mm, returned: true },
  { kind: "mappings", mm, range },
];
export const lookAtAllCached = (): readonly Look[] => [
  { kind: "condemnsEveryMms" },
  { kind: "everyMmsMappings" },
];
/** What a CPU says of its TLB is judged by what has been condemned there. */
export const lookAtClaim = (): readonly Look[] => [{ kind: "claims" }];

/** Of a checker that notes nothing. */
export const nothingToRestore: Restore = () => {};

/** Checkers that watch together: each observes what it declares, the first of the list first. */
export class Watch implements Observer {
  private readonly byKind = new Map<string, Checker[]>();

  constructor(private readonly checkers: readonly Checker[]) {
    for (const checker of checkers) {
      for (const kind of Object.keys(checker.looksAt)) {
        this.byKind.set(kind, [...(this.byKind.get(kind) ?? []), checker]);
      }
    }
  }

  observe(event: KernelEvent, moment: Moment): void {
    const watching = this.byKind.get(event.kind);
    if (watching === undefined) return;
    for (let index = 0; index < watching.length; index++) watching[index]!.observe(event, moment);
  }

  /** What the checkers that observe the event look at. */
  looksAt<Kind extends EventKind>(event: EventOf<Kind>): readonly Look[] {
    const looks: Look[] = [];
    for (const { looksAt } of this.byKind.get(event.kind) ?? []) {
      looks.push(...(looksAt as Looks<Kind>)[event.kind](event));
    }
    return looks;
  }

  save(): Restore {
    const restores = this.checkers.map((checker) => checker.save());
    return () => {
      for (let index = 0; index < restores.length; index++) restores[index]!();
    };
  }
}
