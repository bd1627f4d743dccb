// Stateless exploration: executions are run from the start, one choice path after another, depth
// first. Which processes are tried at a step is the reduction's: all of them, or source sets
// (Abdulla, Aronis, Jonsson, Sagonas: Optimal dynamic partial order reduction, POPL 2014, algorithm
// 1) with sleep sets.

import { Choices, conflict, type Footprint, type System } from "./system.ts";
import { Happens } from "./happens-before.ts";

export interface Bounds {
  /** Longer executions are cut. */
  readonly maxSteps: number;
  readonly maxExecutions: number;
  /** Times that the schedule may leave a CPU that could go on; only without reduction. */
  readonly preemptionBound: number;
}

export interface Step {
  readonly process: number;
  readonly choices: readonly number[];
}

export interface Coverage {
  /** Executions that ran to their end. */
  readonly executions: number;
  /** Executions given up because another order of the same steps had been seen. */
  readonly redundant: number;
  /** Longest execution. */
  readonly depth: number;
  /** The whole space under the preemption bound was covered, and nothing was cut. */
  readonly complete: boolean;
}

/** What the search tells while it runs; returning false ends it. */
export interface SearchListener {
  /** A check failed at the end of this schedule. */
  failed(schedule: readonly Step[]): boolean;
  /** An execution has ended. */
  ended?(): boolean;
}

/** One step of the path, and what is known of the state before it. */
export interface Node {
  readonly enabled: number;
  /** Processes whose next step would repeat what has been explored. */
  sleep: number;
  /** Processes to explore from here. */
  backtrack: number;
  done: number;
  /** By process: the footprints of steps that have been explored from here, or sleep. */
  readonly footprints: (Footprint | undefined)[];
  process: number;
  choices: Choices;
  preemptions: number;
}

const bit = (process: number): number => 1 << process;

const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

export class Search {
  private readonly nodes: Node[] = [];
  private readonly happens: Happens;
  private executions = 0;
  private redundant = 0;
  private depth = 0;
  private wasCut = false;
  /** A listener ended it, or a bound. */
  private stopped = false;
  private begun = false;
  /** Everything has been explored. */
  private isOver = false;

  constructor(
    private readonly system: System,
    private readonly reduction: "none" | "source",
    private readonly bounds: Bounds,
    private readonly listener: SearchListener,
  ) {
    this.happens = new Happens(system.processCount);
  }

  /** Goes on for about `executions` more. False: there is nothing left to explore. */
  run(executions = Infinity): boolean {
    const until = this.executions + this.redundant + executions;
    if (!this.begun) this.begin();
    while (!this.stopped && !this.isOver) {
      if (this.executions + this.redundant >= until) return true;
      if (this.backtrack()) this.extend();
      else this.isOver = true;
    }
    return false;
  }

  get coverage(): Coverage {
    const { executions, redundant, depth, isOver, wasCut } = this;
    return { executions, redundant, depth, complete: isOver && !wasCut };
  }

  private begin(): void {
    this.begun = true;
    this.system.restart();
    this.extend();
  }

  private get schedule(): Step[] {
    return this.nodes.map(({ process, choices }) => ({ process, choices: [...choices.taken] }));
  }

  /** Runs on from the end of the path until nothing is left to run. */
  private extend(): void {
    const { system, nodes, bounds } = this;
    for (;;) {
      if (system.failed) return this.end(!this.listener.failed(this.schedule));
      const enabled = system.enabled();
      if (this.reduction === "source") this.noteDisabled(enabled);
      if (enabled === 0) {
        if (this.reduction === "source") this.reverseBlocked();
        system.finish();
        return this.end(system.failed && !this.listener.failed(this.schedule));
      }
      if (nodes.length >= bounds.maxSteps) {
        this.wasCut = true;
        return this.end(false);
      }
      const node = this.newNode(enabled);
      const tried = this.reduction === "none" ? node.backtrack : enabled & ~node.sleep;
      if (tried === 0) {
        this.redundant++;
        return;
      }
      const process = this.prefer(tried);
      if (this.reduction === "source") node.backtrack = bit(process);
      nodes.push(node);
      this.take(node, process);
    }
  }

  private end(stop: boolean): void {
    this.executions++;
    this.depth = Math.max(this.depth, this.nodes.length);
    if (stop || this.listener.ended?.() === false) this.stopped = true;
    if (this.executions >= this.bounds.maxExecutions) this.stopped = true;
  }

  /** The process that ran last, if it can go on. */
  private prefer(mask: number): number {
    const last = this.nodes.at(-1)?.process ?? -1;
    return last >= 0 && (mask & bit(last)) !== 0 ? last : lowest(mask);
  }

  private newNode(enabled: number): Node {
    const parent = this.nodes.at(-1);
    const node: Node = {
      enabled,
      sleep: 0,
      backtrack: enabled,
      done: 0,
      footprints: [],
      process: -1,
      choices: new Choices(),
      preemptions: 0,
    };
    if (parent === undefined) return node;
    if (this.reduction === "source") this.inheritSleep(node, parent);
    else this.boundPreemptions(node, parent);
    return node;
  }

  /** Who slept before the step, or was explored instead of it, sleeps on if it commutes with it. */
  private inheritSleep(node: Node, parent: Node): void {
    const step = this.happens.last;
    let candidates = (parent.sleep | parent.done) & ~bit(parent.process);
    for (; candidates !== 0; candidates &= candidates - 1) {
      const process = lowest(candidates);
      const footprint = parent.footprints[process]!;
      if (conflict(footprint, step)) continue;
      node.sleep |= bit(process);
      node.footprints[process] = footprint;
    }
  }

  private boundPreemptions(node: Node, parent: Node): void {
    node.preemptions = parent.preemptions + (this.isPreemption(parent) ? 1 : 0);
    if (node.preemptions < this.bounds.preemptionBound) return;
    const goesOn = bit(parent.process) & node.enabled;
    if (node.preemptions > this.bounds.preemptionBound) node.backtrack = 0;
    else if (goesOn !== 0) node.backtrack = goesOn;
  }

  /** Whether the path left a process that could have gone on for the one of `node`. */
  private isPreemption(node: Node): boolean {
    const before = this.nodes.at(-2);
    if (before === undefined || before.process === node.process) return false;
    return (node.enabled & bit(before.process)) !== 0;
  }

  private take(node: Node, process: number): void {
    node.process = process;
    this.system.step(process, node.choices);
    if (this.reduction === "none") return;
    this.happens.add(process, this.system.footprint, this.system.cause);
    this.reverseRaces(this.nodes.length - 1);
  }

  /** A step that could not be taken any more at the end might have been, earlier. */
  private reverseBlocked(): void {
    for (const { process, footprint } of this.system.blocked()) {
      this.happens.add(process, footprint, -1);
      this.reverseRaces(this.nodes.length);
      this.happens.pop();
    }
  }

  private reverseRaces(index: number): void {
    for (const race of this.happens.races(index)) {
      this.reverse(race, this.happens.initials(race, index));
    }
  }

  /** Sees to it that the two steps of a race are also tried the other way round. */
  private reverse(race: number, initials: number): void {
    const node = this.nodes[race]!;
    const possible = initials & node.enabled;
    if (possible === 0 || (possible & (node.backtrack | node.sleep)) !== 0) return;
    node.backtrack |= bit(lowest(possible));
  }

  /** A step that disables another process's races with it, also if that never runs again. */
  private noteDisabled(enabled: number): void {
    const node = this.nodes.at(-1);
    if (node === undefined) return;
    node.backtrack |= node.enabled & ~enabled & ~bit(node.process);
  }

  /** Goes back to the deepest step at which something is left to try, and tries it. */
  private backtrack(): boolean {
    for (; this.nodes.length > 0; this.nodes.pop(), this.happens.pop()) {
      const node = this.nodes.at(-1)!;
      this.keepFootprint(node);
      let process = node.process;
      if (!node.choices.next()) {
        node.done |= bit(process);
        const left = node.backtrack & ~node.done & ~node.sleep;
        if (left === 0) continue;
        process = lowest(left);
        node.choices = new Choices();
      }
      this.replay();
      this.happens.pop();
      this.take(node, process);
      return true;
    }
    return false;
  }

  /** What the process touched in any of its ways from here. */
  private keepFootprint(node: Node): void {
    if (this.reduction === "none") return;
    const known = node.footprints[node.process];
    const step = this.happens.last;
    node.footprints[node.process] = known === undefined ? step : union(known, step);
  }

  /** Runs the path again, up to the step before its last. */
  private replay(): void {
    const { system, nodes } = this;
    system.restart();
    for (let index = 0; index + 1 < nodes.length; index++) {
      nodes[index]!.choices.rewind();
      system.repeat(nodes[index]!.process, nodes[index]!.choices);
    }
  }
}

/** What either touches, for conflicts. */
const union = (a: Footprint, b: Footprint): Footprint => ({
  reads: [...a.reads, ...b.reads],
  writes: [...a.writes, ...b.writes],
  follows: [...a.follows, ...b.follows],
  condition: null,
  overwritten: [],
});
