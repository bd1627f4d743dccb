// A workload with a system call of one's own: process_madvise(MADV_DONTNEED) over a list of ranges,
// as Linux 6.16 does it with one flush for all of them, beside a madvise for each.
//
//   npx shootdown run --workload examples/process-madvise.ts --set cores=2,8

import {
  type Cpu,
  costs,
  finishGather,
  type KernelCode,
  lockForReading,
  madviseDontNeed,
  mapPages,
  type Mm,
  beginGather,
  note,
  oneFlusher,
  type PageRange,
  pageAfter,
  pageRange,
  syscall,
  touchPages,
  unlockForReading,
  unmapPages,
  work,
  type Workload,
  zapArea,
} from "shootdown/kernel";

/** Every second page of a mapping is given back: as many ranges as `pages` says. */
const rangesOf = ({ start, end }: PageRange): readonly PageRange[] =>
  Array.from({ length: (end - start) / 2 }, (_, index) =>
    pageRange(pageAfter(start, 2 * index), 1),
  );

/** process_madvise with one mmu_gather for the whole vector. */
function* processMadvise(cpu: Cpu, mm: Mm, ranges: readonly PageRange[]): KernelCode {
  yield* lockForReading(mm.mmapLock);
  for (const range of ranges) yield* note({ kind: "revoking", mm, range });
  const gather = yield* beginGather(cpu, mm);
  for (const range of ranges) {
    yield* work(costs.adviseRange);
    for (const area of mm.areas.within(range)) yield* zapArea(cpu, gather, area);
  }
  yield* finishGather(cpu, gather);
  for (const range of ranges) yield* note({ kind: "revoked", mm, range });
  yield* unlockForReading(mm.mmapLock);
}

/** madvise, a system call for each range. */
function* madviseEach(cpu: Cpu, mm: Mm, ranges: readonly PageRange[]): KernelCode {
  for (const range of ranges) yield* madviseDontNeed(cpu, mm, range);
}

const givingBack = (name: string, summary: string, giveBack: typeof processMadvise): Workload => ({
  name,
  summary,
  program: (scene) =>
    oneFlusher(scene, function* (task) {
      const mapping = yield* mapPages(task, { pageCount: 2 * scene.pages });
      yield* touchPages(mapping, "write");
      yield* syscall(task, giveBack(task.cpu, task.mm!, rangesOf(mapping)));
      yield* unmapPages(task, mapping);
      return null;
    }),
});

export const vector = givingBack(
  "process-madvise",
  "one thread of an mm gives k ranges back with one process_madvise",
  processMadvise,
);

export const each = givingBack(
  "madvise-each",
  "one thread of an mm gives k ranges back with a madvise for each",
  madviseEach,
);
