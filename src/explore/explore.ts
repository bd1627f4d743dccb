// Exploring one scenario: every order of its steps under one kernel, until all have been tried, a
// check fails or a bound is hit.

import { type Counterexample, tell } from "./counterexample.ts";
import { Exploration, type Subject } from "./exploration.ts";
import { minimise } from "./minimise.ts";
import type { Scenario } from "./scenario.ts";
import { type Bounds, type Coverage, Search, type Step } from "./search.ts";

export interface ExploreOptions extends Partial<Bounds> {
  readonly reduction?: "none" | "source";
  /** Seconds of host time. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly executions: number;
  readonly perSecond: number;
  /** Steps of the longest execution. */
  readonly depth: number;
}

export interface Explored extends Coverage {
  /** At most one: the first found, made as short as it could be. */
  readonly violations: readonly Counterexample[];
  /** Why the exploration is not complete, where a bound is the reason. */
  readonly cutBy: "executions" | "time" | "steps" | "interrupt" | null;
}

export const DEFAULT_BOUNDS: Bounds = {
  maxSteps: 1000,
  maxExecutions: Infinity,
  preemptionBound: Infinity,
};

/** Executions between two looks at the clock and the event loop. */
const TURN = 500;

/** The same scenario, subject and bounds give the same result, unless time or a signal ends it. */
export async function exploreScenario(
  scenario: Scenario,
  subject: Subject,
  options: ExploreOptions = {},
): Promise<Explored> {
  const exploration = new Exploration(scenario, subject);
  const { locations } = exploration.executor;
  const start = performance.now();
  for (;;) {
    locations.agree();
    const pass = new Pass(exploration, options, start);
    await pass.run();
    // What was taken for private by then was explored as such: only a pass without news counts.
    if (!locations.grew || pass.cutBy === "time" || pass.cutBy === "interrupt")
      return pass.result();
  }
}

class Pass {
  cutBy: Explored["cutBy"] = null;
  private failing: readonly Step[] | null = null;
  private readonly search: Search;
  private readonly bounds: Bounds;

  constructor(
    private readonly exploration: Exploration,
    private readonly options: ExploreOptions,
    private readonly start: number,
  ) {
    const { maxSteps, maxExecutions, preemptionBound } = { ...DEFAULT_BOUNDS, ...options };
    this.bounds = { maxSteps, maxExecutions, preemptionBound };
    const { reduction = preemptionBound === Infinity ? "source" : "none" } = options;
    this.search = new Search(exploration, reduction, this.bounds, {
      failed: (schedule) => {
        this.failing = schedule;
        return false;
      },
      ended: () => !exploration.executor.locations.grew,
    });
  }

  async run(): Promise<void> {
    const { options, search } = this;
    while (search.run(TURN)) {
      const { executions, depth } = search.coverage;
      const seconds = (performance.now() - this.start) / 1000;
      options.onProgress?.({ executions, perSecond: executions / seconds, depth });
      if (seconds >= (options.seconds ?? Infinity)) this.cutBy = "time";
      else if (options.signal?.aborted === true) this.cutBy = "interrupt";
      if (this.cutBy !== null) return;
      await new Promise((resume) => setImmediate(resume));
    }
  }

  result(): Explored {
    const { exploration, failing, search } = this;
    const { coverage } = search;
    const violations = failing === null ? [] : [counterexampleOf(exploration, failing)];
    return { ...coverage, violations, cutBy: this.cutBy ?? this.boundHit(coverage) };
  }

  private boundHit({ complete, executions }: Coverage): Explored["cutBy"] {
    if (complete || this.failing !== null) return null;
    return executions >= this.bounds.maxExecutions ? "executions" : "steps";
  }
}

function counterexampleOf(exploration: Exploration, failing: readonly Step[]): Counterexample {
  const { invariant } = exploration.violations[0]!;
  return tell(exploration, minimise(exploration, failing, invariant));
}
