// One step of the path of a search, and what is known of the state before it. In plain form it goes
// from one thread to another: a path of such nodes says where a part of an exploration begins, and
// another what has been left of one.

import { Choices, type Footprint } from "./system.ts";

export interface Node {
  readonly enabled: number;
  /** Processes whose next step would repeat what has been explored. */
  sleep: number;
  /** Processes to explore from here. */
  backtrack: number;
  /** Processes that have been explored from here, or will be elsewhere. */
  done: number;
  /** By process: the footprints of steps that have been explored from here, or sleep. */
  readonly footprints: (Footprint | undefined)[];
  process: number;
  choices: Choices;
  preemptions: number;
  /** Of a node above where the search began: one process of each of these is to be explored too. */
  readonly asked: number[];
}

export interface PathNode extends Pick<
  Node,
  "enabled" | "sleep" | "backtrack" | "done" | "process" | "preemptions"
> {
  readonly choices: readonly number[];
}

export interface LeftNode extends PathNode {
  /** The next way of taking the step; null: there is none. */
  readonly rest: readonly number[] | null;
}

/** Every process that can take a step is to be explored, until a reduction says otherwise. */
export const newNode = (enabled: number): Node => ({
  enabled,
  sleep: 0,
  backtrack: enabled,
  done: 0,
  footprints: [],
  process: -1,
  choices: new Choices(),
  preemptions: 0,
  asked: [],
});

export const nodeFrom = (node: PathNode): Node => ({
  ...node,
  choices: new Choices(node.choices),
  footprints: [],
  asked: [],
});

/** The node ends here: its choices go on to their next. */
export function leftOf(node: Node): LeftNode {
  const { enabled, sleep, backtrack, done, process, preemptions } = node;
  const choices = [...node.choices.made];
  const rest = node.choices.next() ? [...node.choices.taken] : null;
  return { enabled, sleep, backtrack, done, process, preemptions, choices, rest };
}

/** Processes that are still to be explored from a node, after the one in progress. */
export const leftAt = ({ backtrack, done, sleep, process }: Omit<PathNode, "choices">): number =>
  backtrack & ~done & ~sleep & ~bit(process);

/** Whether the path left a process that could have gone on for the one of `node`. */
export function isPreemption(node: Node, before: Node | undefined): boolean {
  if (before === undefined || before.process === node.process) return false;
  return (node.enabled & bit(before.process)) !== 0;
}

export const bit = (process: number): number => 1 << process;

export const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** The processes of a mask, ascending. */
export function processesOf(mask: number): number[] {
  const processes: number[] = [];
  for (let left = mask; left !== 0; left &= left - 1) processes.push(lowest(left));
  return processes;
}
