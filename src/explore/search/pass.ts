// One pass over all orders, with one idea of what is shared. Parts are handed out to whoever asks,
// and merged in the order in which they were made; parts are made only when one has been merged.
// So what comes out is the same however many explore at once, and whoever is faster.

import { Frontier, type Opened } from "./frontier.ts";
import { isShared, type LocationKey, type Owners } from "../execution/locations.ts";
import { type Failing, type Part, type PartResult, shortestOf } from "./part.ts";

export interface Shares {
  /** Executions after which an exploration is split: most are over by then. */
  readonly first: number;
  /** Executions of each part after that. */
  readonly each: number;
}

export const SHARES: Shares = { first: 2000, each: 1000 };

/** Parts that are made before the first of them has been merged. */
const WINDOW = 16;

interface Open {
  readonly opened: Opened;
  readonly part: Part;
  answer: PartResult | null;
}

export class Pass {
  executions = 0;
  redundant = 0;
  depth = 0;
  wasCut = false;
  failing: readonly Failing[] = [];
  /** Executions until a check failed. */
  foundAfter: number | null = null;
  /** Locations that were taken for private and are not. */
  readonly news: LocationKey[] = [];
  private readonly frontier = new Frontier();
  private readonly owners = new Map<LocationKey, [readers: number, writers: number]>();
  /** In the order in which they were made. */
  private readonly open: Open[] = [];
  private handedOut = 0;
  private made = 0;
  /** Executions that open parts may still make. */
  private promised = 0;

  constructor(
    readonly shared: readonly LocationKey[],
    private readonly maxExecutions: number,
    private readonly shares: Shares,
  ) {
    this.make(shares.first);
  }

  get isOver(): boolean {
    return this.open.length === 0 || this.news.length > 0;
  }

  /** Everything has been explored, and something was. */
  get isComplete(): boolean {
    const { open, frontier, news, failing, wasCut, executions } = this;
    const isCovered = open.length === 0 && frontier.isEmpty && news.length === 0;
    return executions > 0 && isCovered && failing.length === 0 && !wasCut;
  }

  /** A part to explore; none: not before another answer has come. */
  next(): Part | undefined {
    if (this.isOver || this.handedOut === this.open.length) return undefined;
    return this.open[this.handedOut++]!.part;
  }

  accept(part: Part, answer: PartResult): void {
    const open = this.open.find((each) => each.part === part);
    if (open === undefined) return;
    open.answer = answer;
    while (!this.isOver && this.open[0]!.answer !== null) this.merge(this.open.shift()!);
  }

  private merge({ opened, part, answer }: Open): void {
    const { executions, redundant, depth, wasCut, failing, foundAfter, asked, left, owners } =
      answer!;
    this.handedOut--;
    this.promised -= part.executions;
    if (foundAfter !== null) this.foundAfter ??= this.executions + foundAfter;
    this.executions += executions;
    this.redundant += redundant;
    this.depth = Math.max(this.depth, depth);
    this.wasCut ||= wasCut;
    this.failing = shortestOf([...this.failing, ...failing]);
    // What fails fails, whatever is shared besides.
    if (this.failing.length === 0) for (const each of owners) this.touch(each);
    this.frontier.close(opened, asked, left);
    while (this.make(this.shares.each));
  }

  private touch([key, readers, writers]: Owners): void {
    const known = this.owners.get(key) ?? [0, 0];
    known[0] |= readers;
    known[1] |= writers;
    this.owners.set(key, known);
    if (isShared(...known) && !this.news.includes(key)) this.news.push(key);
  }

  /** Makes another part, if there is a branch, and executions are left. */
  private make(share: number): boolean {
    const left = this.maxExecutions - this.executions - this.promised;
    const executions = Math.min(share, left);
    if (executions <= 0 || this.open.length >= WINDOW || this.failing.length > 0) return false;
    const opened = this.frontier.take();
    if (opened === undefined) return false;
    const part = { index: this.made++, shared: this.shared, path: opened.path, executions };
    this.open.push({ opened, part, answer: null });
    this.promised += executions;
    return true;
  }
}
