// Exploring one scenario: every order of its steps under one kernel, until all have been tried, a
// check fails or a bound is hit.

import { type Afresh, exploreAndControl } from "../control.ts";
import { type Counterexample, tell } from "../counterexample.ts";
import { ScenarioSystem, type Subject } from "../execution/scenario-system.ts";
import { checkBounds, type ExploreBounds, limitsOf } from "./bounds.ts";
import { shortestFrom } from "./minimise.ts";
import type { Part, PartResult } from "./part.ts";
import { Pass, type Shares, SHARES } from "./pass.ts";
import type { Scenario } from "../scenarios/scenario.ts";

export interface ExplorerOptions extends ExploreBounds {
  readonly signal?: AbortSignal;
  /** Asked after each execution, where a signal is heard after many. */
  readonly isStopped?: () => boolean;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly executions: number;
  readonly perSecond: number;
  /** Steps of the longest execution. */
  readonly depth: number;
}

export interface ExploreOutcome {
  /** Executions that ran to their end. */
  readonly executions: number;
  /** Executions given up because another order of the same steps had been seen. */
  readonly redundant: number;
  /** Longest execution. */
  readonly depth: number;
  /** The whole space under the preemption bound was covered, and nothing was cut. */
  readonly complete: boolean;
  /** Executions until a check failed; null: none did. Some more look for a shorter schedule. */
  readonly foundAfter: number | null;
  /** At most one: the shortest found, made as short as it could be. */
  readonly violations: readonly Counterexample[];
  /** Why the exploration is not complete, where a bound is the reason. */
  readonly cutBy: "executions" | "time" | "steps" | "interrupt" | null;
}

/** Whether so many seconds of host time have passed from now on. */
export function untilOver(seconds: number): () => boolean {
  const end = performance.now() + 1000 * seconds;
  return () => performance.now() >= end;
}

/** Directs an exploration that others carry out, part by part, one or several at once. */
export class Explorer {
  private pass: Pass;
  /** The pass before, which the news ended. */
  private abandoned: Pass | null = null;
  private cutBy: "time" | "interrupt" | null = null;
  private readonly start = performance.now();

  constructor(
    private readonly bounds: ExploreBounds,
    private readonly shares: Shares = SHARES,
  ) {
    this.pass = this.passWith([]);
  }

  get isOver(): boolean {
    return this.cutBy !== null || this.pass.isOver;
  }

  get isComplete(): boolean {
    return this.pass.isComplete;
  }

  get progress(): Progress {
    const { executions, depth } = this.pass;
    const perSecond = (1000 * executions) / (performance.now() - this.start);
    return { executions, perSecond, depth };
  }

  /** A part to explore; none: not before another answer has come, or never. */
  next(): Part | undefined {
    return this.isOver ? undefined : this.pass.next();
  }

  accept(part: Part, result: PartResult): void {
    const { pass } = this;
    pass.accept(part, result);
    // What was taken for private by then was explored as such: only a pass without news counts.
    if (pass.news.length > 0) {
      this.abandoned = pass;
      this.pass = this.passWith([...pass.shared, ...pass.news]);
    }
    if (!this.isOver && this.secondsLeft <= 0) this.cutBy = "time";
  }

  /** Of host time, as far as it is bounded. */
  get secondsLeft(): number {
    const seconds = (performance.now() - this.start) / 1000;
    return (this.bounds.seconds ?? Infinity) - seconds;
  }

  interrupt(): void {
    if (!this.isOver) this.cutBy = "interrupt";
  }

  /** What has come out by now. */
  result(
    scenario: Scenario,
    subject: Subject,
    isStopped: () => boolean = () => false,
  ): ExploreOutcome {
    const pass = this.pass.executions === 0 ? (this.abandoned ?? this.pass) : this.pass;
    const { executions, redundant, depth, failing, foundAfter, shared } = pass;
    const violations: Counterexample[] = [];
    if (failing.length > 0) {
      const system = new ScenarioSystem(scenario, subject);
      system.executor.locations.begin(shared);
      violations.push(tell(system, shortestFrom(system, failing, isStopped)));
    }
    const complete = this.isComplete;
    const cutBy = this.cutBy ?? this.boundHit();
    return { executions, redundant, depth, complete, violations, cutBy, foundAfter };
  }

  private passWith(shared: Pass["shared"]): Pass {
    return new Pass(shared, this.bounds.maxExecutions ?? Infinity, this.shares);
  }

  private boundHit(): ExploreOutcome["cutBy"] {
    const { isComplete, failing, executions } = this.pass;
    if (isComplete || failing.length > 0) return null;
    return executions === this.bounds.maxExecutions ? "executions" : "steps";
  }
}

/** The same scenario, subject and bounds give the same result, unless time or a signal ends it. */
export async function exploreScenario(
  scenario: Scenario,
  subject: Subject,
  { signal, isStopped = () => false, onProgress, ...bounds }: ExplorerOptions = {},
  afresh: Afresh = () => Promise.resolve(new ScenarioSystem(scenario, subject)),
): Promise<ExploreOutcome> {
  checkBounds(bounds);
  const explorer = new Explorer(bounds);
  const system = new ScenarioSystem(scenario, subject);
  const limits = limitsOf(bounds);
  const isEnough = (): boolean => isStopped() || explorer.secondsLeft <= 0;
  if (signal?.aborted === true) explorer.interrupt();
  for (let part = explorer.next(); part !== undefined; part = explorer.next()) {
    explorer.accept(part, await exploreAndControl(system, part, limits, { afresh, isEnough }));
    onProgress?.(explorer.progress);
    await new Promise((resume) => setImmediate(resume));
    if (signal?.aborted === true || isStopped()) explorer.interrupt();
  }
  return explorer.result(scenario, subject, isStopped);
}
