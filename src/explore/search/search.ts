// Stateless exploration: executions are run from the start, one choice path after another, depth
// first. Which processes are tried at a step is the reduction's: all of them, or source sets
// (Abdulla, Aronis, Jonsson, Sagonas: Optimal dynamic partial order reduction, POPL 2014, algorithm
// 1) with sleep sets.

import { Happens } from "./happens-before.ts";
import {
  bit,
  isPreemption,
  leftAt,
  type LeftNode,
  leftOf,
  lowest,
  newNode,
  type Node,
  nodeFrom,
  type PathNode,
  processesOf,
} from "./node.ts";
import { Choices, conflict, type Footprint, type System, union } from "./system.ts";

export interface Limits {
  readonly reduction: "none" | "source";
  /** Longer executions are cut. */
  readonly maxSteps: number;
  /** Times that the schedule may leave a CPU that could go on; only without reduction. */
  readonly preemptionBound: number;
}

export interface Step {
  readonly process: number;
  readonly choices: readonly number[];
}

export interface Covered {
  /** Executions that ran to their end. */
  readonly executions: number;
  /** Executions given up because another order of the same steps had been seen. */
  readonly redundant: number;
  /** Longest execution. */
  readonly depth: number;
  /** An execution was longer than it may be. */
  readonly wasCut: boolean;
}

/** What the search tells while it runs. */
export interface SearchListener {
  /** A check failed at the end of this schedule, `needed` steps of which led to it. */
  failed(schedule: readonly Step[], needed: number): void;
  /** An execution has ended. False: that was enough. */
  ended(): boolean;
}

export class Search {
  private readonly nodes: Node[];
  private readonly happens: Happens;
  private readonly isReduced: boolean;
  /** Nodes that are not the search's own: it begins with the last one's process, and ends there. */
  private readonly given: number;
  private executions = 0;
  private redundant = 0;
  private depth = 0;
  private wasCut = false;
  /** The listener ended it. */
  private stopped = false;

  /** @param path - Where to begin; at the start unless given. */
  constructor(
    private readonly system: System,
    private readonly limits: Limits,
    private readonly listener: SearchListener,
    path: readonly PathNode[] = [],
  ) {
    this.happens = new Happens(system.processCount);
    this.isReduced = limits.reduction === "source";
    this.nodes = path.map(nodeFrom);
    this.given = path.length;
  }

  /** Explores until nothing is left or so many executions have ended. To be called once. */
  run(executions = Infinity): void {
    this.begin();
    while (!this.stopped && this.executions + this.redundant < executions) {
      if (!this.backtrack()) return;
      this.extend();
    }
  }

  get covered(): Covered {
    const { executions, redundant, depth, wasCut } = this;
    return { executions, redundant, depth, wasCut };
  }

  /** What is still to be explored: nodes from the last given one on. None: nothing. */
  get left(): readonly LeftNode[] {
    const own = Math.max(this.given - 1, 0);
    const left = this.nodes.slice(own).map(leftOf);
    const isOpen = (node: LeftNode, index: number): boolean =>
      node.rest !== null || (own + index >= this.given && leftAt(node) !== 0);
    return left.slice(0, left.findLastIndex(isOpen) + 1);
  }

  /** By given node: masks of processes of which one each is to be explored from there. */
  get asked(): readonly (readonly number[])[] {
    return this.nodes.slice(0, this.given).map(({ asked }) => asked);
  }

  private begin(): void {
    const { system, nodes, given, happens } = this;
    const last = nodes.at(-1);
    if (last !== undefined && this.isReduced) this.findFootprints(last);
    system.restart();
    for (let index = 0; index + 1 < given; index++) {
      const { process, choices } = nodes[index]!;
      choices.rewind();
      system.step(process, choices);
      if (this.isReduced) happens.add(process, system.footprint, system.cause);
    }
    if (last !== undefined) this.take(last, last.process);
    this.extend();
  }

  /** What the processes touch that sleep at the last node, or are explored elsewhere. */
  private findFootprints(node: Node): void {
    for (const process of processesOf(node.sleep | node.done)) {
      const choices = new Choices();
      do {
        this.replay();
        this.system.step(process, choices);
        this.keepFootprint(node, process, this.system.footprint);
      } while (choices.next());
    }
  }

  private get schedule(): Step[] {
    return this.nodes.map(({ process, choices }) => ({ process, choices: [...choices.taken] }));
  }

  /** Runs on from the end of the path until nothing is left to run. */
  private extend(): void {
    const { system, nodes } = this;
    for (;;) {
      if (system.failed) return this.fail(false);
      const enabled = system.enabled();
      if (this.isReduced) this.noteDisabled(enabled);
      if (enabled === 0) {
        if (this.isReduced) this.reverseBlocked();
        system.finish();
        return system.failed ? this.fail(true) : this.end();
      }
      if (nodes.length >= this.limits.maxSteps) {
        this.wasCut = true;
        return this.end();
      }
      const node = this.nodeAfter(enabled);
      const tried = this.isReduced ? enabled & ~node.sleep : node.backtrack;
      if (tried === 0) {
        this.redundant++;
        return;
      }
      const process = this.prefer(tried);
      if (this.isReduced) node.backtrack = bit(process);
      nodes.push(node);
      this.take(node, process);
    }
  }

  private fail(isStuck: boolean): void {
    const { isReduced, happens, listener, schedule } = this;
    // What fails ends the execution: nobody else can go on.
    if (isReduced) this.noteDisabled(0);
    listener.failed(schedule, isReduced && !isStuck ? happens.leading : schedule.length);
    this.end();
  }

  private end(): void {
    this.executions++;
    this.depth = Math.max(this.depth, this.nodes.length);
    if (!this.listener.ended()) this.stopped = true;
  }

  /** The process that ran last, if it can go on. */
  private prefer(mask: number): number {
    const last = this.nodes.at(-1)?.process ?? -1;
    return last >= 0 && (mask & bit(last)) !== 0 ? last : lowest(mask);
  }

  private nodeAfter(enabled: number): Node {
    const parent = this.nodes.at(-1);
    const node = newNode(enabled);
    if (parent === undefined) return node;
    if (this.isReduced) this.inheritSleep(node, parent);
    else this.boundPreemptions(node, parent);
    return node;
  }

  /** Who slept before the step, or was explored instead of it, sleeps on if it commutes with it. */
  private inheritSleep(node: Node, parent: Node): void {
    const step = this.happens.last;
    for (const process of processesOf((parent.sleep | parent.done) & ~bit(parent.process))) {
      const footprint = parent.footprints[process]!;
      if (conflict(footprint, step)) continue;
      node.sleep |= bit(process);
      node.footprints[process] = footprint;
    }
  }

  private boundPreemptions(node: Node, parent: Node): void {
    node.preemptions = parent.preemptions + (isPreemption(parent, this.nodes.at(-2)) ? 1 : 0);
    if (node.preemptions < this.limits.preemptionBound) return;
    const goesOn = bit(parent.process) & node.enabled;
    if (node.preemptions > this.limits.preemptionBound) node.backtrack = 0;
    else if (goesOn !== 0) node.backtrack = goesOn;
  }

  private take(node: Node, process: number): void {
    node.process = process;
    this.system.step(process, node.choices);
    if (!this.isReduced) return;
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
    const possible = initials & this.nodes[race]!.enabled;
    if (possible !== 0) this.want(race, possible);
  }

  /** One of these processes is to be explored from a node. */
  private want(index: number, processes: number): void {
    const node = this.nodes[index]!;
    if ((processes & (node.backtrack | node.sleep)) !== 0) return;
    if (index >= this.given) node.backtrack |= bit(lowest(processes));
    else if (!node.asked.includes(processes)) node.asked.push(processes);
  }

  /** A step that disables another process's races with it, also if that never runs again. */
  private noteDisabled(enabled: number): void {
    const { nodes } = this;
    const node = nodes.at(-1);
    if (node === undefined) return;
    const disabled = node.enabled & ~enabled & ~bit(node.process);
    for (const process of processesOf(disabled)) this.want(nodes.length - 1, bit(process));
  }

  /** Goes back to the deepest step at which something is left to try, and tries it. */
  private backtrack(): boolean {
    const { nodes, happens } = this;
    for (; nodes.length > 0; nodes.pop(), happens.pop()) {
      const node = nodes.at(-1)!;
      if (this.isReduced) this.keepFootprint(node, node.process, happens.last);
      let process = node.process;
      if (!node.choices.next()) {
        if (nodes.length <= this.given) return false;
        node.done |= bit(process);
        if (leftAt(node) === 0) continue;
        process = lowest(leftAt(node));
        node.choices = new Choices();
      }
      this.replay();
      happens.pop();
      this.take(node, process);
      return true;
    }
    return false;
  }

  /** What the process touches in any of its ways from here. */
  private keepFootprint(node: Node, process: number, step: Footprint): void {
    node.footprints[process] = union(node.footprints[process], step);
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
