// The parts into which an exploration falls. Each begins where a path ends, with one process, and
// ends when everything below has been explored or it has had its share of executions; then it
// leaves the rest of its path, whose open branches become parts in their turn. Parts may run at the
// same time: a race whose first step lies on the path is reported, and the branch that it asks for
// is opened here. Sleep sets need an order of the branches of a node, whichever is explored first:
// it is the order in which they are opened.

import { bit, leftAt, type LeftNode, lowest, type PathNode, processesOf } from "./node.ts";

/** A node that several parts have in common. */
interface Trunk extends Pick<PathNode, "enabled" | "sleep" | "preemptions"> {
  /** The node before, and the step from there to here; null: the start. */
  readonly from: { readonly node: Trunk; readonly step: Edge } | null;
  /** Processes to explore from here. */
  backtrack: number;
  /** Those for which a branch was opened. */
  opened: number;
}

interface Edge {
  readonly process: number;
  readonly choices: readonly number[];
}

interface Branch {
  readonly node: Trunk;
  readonly step: Edge;
  /** Processes whose branches come before this one in the order. */
  readonly before: number;
}

/** Where a part begins. */
export interface Opened {
  readonly path: readonly PathNode[];
  /** By node of the path. */
  readonly nodes: readonly Trunk[];
}

export class Frontier {
  private readonly branches: Branch[] = [];
  private isBegun = false;

  /** Nothing is left, apart from what parts in progress leave. */
  get isEmpty(): boolean {
    return this.isBegun && this.branches.length === 0;
  }

  /** The next part: the start, then what was opened last, so that few branches wait. */
  take(): Opened | undefined {
    if (!this.isBegun) {
      this.isBegun = true;
      return { path: [], nodes: [] };
    }
    const branch = this.branches.pop();
    return branch && openedAt(branch);
  }

  /** A part has ended, which asked for branches at nodes of its path, and left some. */
  close(
    { path, nodes }: Opened,
    asked: readonly (readonly number[])[],
    left: readonly LeftNode[],
  ): void {
    asked.forEach((masks, index) => masks.forEach((mask) => this.ask(nodes[index]!, mask)));
    let from: Trunk["from"] = null;
    for (const [index, each] of left.entries()) {
      const isGiven = index === 0 && path.length > 0;
      const node: Trunk = isGiven ? nodes.at(-1)! : trunkOf(each, from);
      const { process, choices, rest, done } = each;
      if (rest !== null) {
        this.branches.push({ node, step: { process, choices: rest }, before: done });
      }
      if (!isGiven) for (const other of processesOf(leftAt(each))) this.open(node, other);
      from = { node, step: { process, choices } };
    }
  }

  /** One process of the mask is to be explored. */
  private ask(node: Trunk, mask: number): void {
    if ((mask & node.backtrack) !== 0) return;
    node.backtrack |= bit(lowest(mask));
    this.open(node, lowest(mask));
  }

  private open(node: Trunk, process: number): void {
    this.branches.push({ node, step: { process, choices: [] }, before: node.opened });
    node.opened |= bit(process);
  }
}

function trunkOf(left: LeftNode, from: Trunk["from"]): Trunk {
  const { enabled, sleep, preemptions, backtrack, done, process } = left;
  return { from, enabled, sleep, preemptions, backtrack, opened: done | bit(process) };
}

function openedAt(branch: Branch): Opened {
  const nodes = [branch.node];
  const path = [pathNode(branch.node, branch.step, branch.before)];
  for (let { from } = branch.node; from !== null; from = from.node.from) {
    nodes.unshift(from.node);
    path.unshift(pathNode(from.node, from.step, 0));
  }
  return { path, nodes };
}

function pathNode(node: Trunk, { process, choices }: Edge, done: number): PathNode {
  const { enabled, sleep, preemptions, backtrack } = node;
  return { enabled, sleep, preemptions, backtrack, done, process, choices };
}
