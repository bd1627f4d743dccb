// The whole product of axes and workloads in lots: a lot is a kernel on a CPU with all else that
// may vary. The seed shuffles the lots, so that a part of them is a sample of the whole.

import { inPool } from "../../base/pool.ts";
import { Random } from "../../base/random.ts";
import { WORKLOAD_NAMES } from "../../workloads/workloads.ts";
import type { Configuration } from "../../experiment/configuration.ts";
import { coveringCells } from "./covering-runs.ts";
import { judge, type Judgement } from "./judge.ts";
import { everyKernel, familiesOfLot, kernelFamilies } from "./product.ts";

export interface Lot {
  readonly kernel: Partial<Configuration>;
  readonly seed: number;
}

export function everyLot(seed: number): readonly Lot[] {
  const random = new Random(seed);
  const lots = everyKernel().map((kernel): Lot => ({ kernel, seed }));
  for (let last = lots.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [lots[last], lots[other]] = [lots[other]!, lots[last]!];
  }
  return lots;
}

export async function judgeLot({ kernel, seed }: Lot): Promise<Judgement> {
  const judgements: Judgement[] = [];
  for (const family of familiesOfLot(kernel)) {
    for (const name of WORKLOAD_NAMES) judgements.push(await judge(family, name, seed));
  }
  return together(judgements);
}

export interface JudgeOptions {
  readonly workers: number;
  /** A lot was judged: how many are done, beginning with the first, and what became of it. */
  readonly onLot: (progress: { readonly done: number; readonly judgement: Judgement }) => void;
}

/** Judges the lots from `from` on, in worker threads. */
export async function judgeLots(
  lots: readonly Lot[],
  from: number,
  { workers, onLot }: JudgeOptions,
): Promise<Judgement> {
  const judgements: Judgement[] = [];
  const judged = new Set<number>();
  let next = from;
  let done = from;
  await inPool<number, Judgement>({
    url: new URL("./lot-worker.js", import.meta.url),
    workers,
    next: () => (next < lots.length ? next++ : undefined),
    messageOf: (index) => lots[index],
    onAnswer(index, judgement) {
      judgements.push(judgement);
      judged.add(index);
      while (judged.has(done)) done++;
      onLot({ done, judgement });
    },
    onBreakdown(index, reason) {
      throw new Error(`lot ${index}: ${reason}`);
    },
  });
  return together(judgements);
}

/** The rows of a covering array, in this thread. */
export async function judgeCover(seed: number): Promise<Judgement> {
  const judgements: Judgement[] = [];
  for (const { configuration, workload } of coveringCells(seed, "threes")) {
    judgements.push(await judge([configuration], workload, seed));
  }
  return together(judgements);
}

/** Every kernel in every workload, each on one CPU, in this thread. */
export async function judgeKernels(seed: number): Promise<Judgement> {
  const judgements: Judgement[] = [];
  for (const family of kernelFamilies()) {
    for (const name of WORKLOAD_NAMES) judgements.push(await judge(family, name, seed));
  }
  return together(judgements);
}

const together = (judgements: readonly Judgement[]): Judgement => ({
  passed: judgements.reduce((sum, { passed }) => sum + passed, 0),
  failures: judgements.flatMap(({ failures }) => failures),
});
