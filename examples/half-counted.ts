// A lazy policy of one's own: `refcounted`, except that a task that exits borrows its old mm
// without a reference. It is wrong, and `run` and `explore` say so.
//
//   npx shootdown run fork-exit --policy examples/half-counted.ts,refcounted --set cores=2
//   npx shootdown explore exit-while-lazy --policy examples/half-counted.ts

import { type LazyPolicy, lazyPolicies, mmdrop } from "shootdown/kernel";

export const halfCounted: LazyPolicy = {
  ...lazyPolicies.refcounted,
  name: "half-counted",
  summary: "a task that exits goes on with its old mm, and holds no reference to it",
  source: "an example",
  expected: "violation",
  *exitMm(cpu, task, mm) {
    yield* lazyPolicies.refcounted.exitMm(cpu, task, mm);
    yield* mmdrop(cpu, mm); // the reference that it has just taken
  },
};
