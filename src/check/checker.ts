// What a checker is: it watches a run from outside, and declares what it looks at. A search that
// leaves out orders of steps that commute goes by the declaration: what an event is judged by must
// not change places with the event. So a checker gets no event that it has not declared.

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
  /** The same of every live mm, and of the kernel half. */
  | { readonly kind: "everyMmsTranslations" }
  | { readonly kind: "kernelTranslations" }
  /** Its page tables, entries included; those of every live mm. */
  | { readonly kind: "tables"; readonly mm: Mm }
  | { readonly kind: "everyMmsTables" }
  /** What each CPU has in CR3 and has cached. */
  | { readonly kind: "tlbs" }
  /** Its mm_cpumask. */
  | { readonly kind: "cpumask"; readonly mm: Mm }
  /** What code each CPU is in: an interrupt, switch_mm, a flush. The event may change its own. */
  | { readonly kind: "ownPlace" }
  | { readonly kind: "everyPlace" }
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

/** Nothing but what belongs to the CPU of the event. */
export const lookAtNothing = (): readonly Look[] => [];
export const lookAtTranslations = ({ mm }: { readonly mm: Mm }): readonly Look[] => [
  { kind: "translations", mm },
];
/** What changes after this moment is told apart from what had changed before. */
export const lookAtTables = ({ mm }: { readonly mm: Mm }): readonly Look[] => [
  { kind: "translations", mm },
  { kind: "tables", mm },
];
export const lookAtAllTables = (): readonly Look[] => [
  { kind: "everyMmsTranslations" },
  { kind: "everyMmsTables" },
];
/** What CPUs have cached is compared with the tables. */
export const lookAtCached = (event: { readonly mm: Mm }): readonly Look[] => [
  ...lookAtTables(event),
  { kind: "tlbs" },
];
export const lookAtAllCached = (): readonly Look[] => [...lookAtAllTables(), { kind: "tlbs" }];

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
