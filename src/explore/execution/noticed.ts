// What the checkers look at when kernel code notes something: so that the search knows which steps
// cannot change places with the note.

import type { KernelEvent } from "../../kernel/operation/event.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import type { Executor } from "./executor.ts";

/** Adds what observers of the event will look at to what the step touches. */
export function noticed(executor: Executor, event: KernelEvent): void {
  const { touched } = executor;
  switch (event.kind) {
    case "flushBegin":
    case "flushReturn":
    case "pagesFreed":
    case "revoked":
    case "revoking":
    case "unmapDeferred":
      touched.write(useOf(executor, event.mm));
      return;
    case "batchFlushBegin":
    case "batchFlushReturn":
      for (const mm of executor.kernel.liveMms) touched.write(useOf(executor, mm));
      return;
    case "kernelFlushBegin":
    case "kernelFlushReturn":
      touched.write(useOf(executor, executor.kernel.initMm));
      for (const { tlbLocation } of executor.states) touched.read(tlbLocation);
      return;
    case "tableFreed":
    case "rootFreed":
      touched.write(useOf(executor, event.mm));
      for (const { tlbLocation } of executor.states) touched.read(tlbLocation);
      return;
    case "mmFreed":
      touched.write(lifeOf(executor, event.mm));
      for (const cell of cellsOf(event.mm)) touched.write(executor.locations.ofCell(cell));
      return;
    case "passed":
      touched.read(lifeOf(executor, event.mm));
      return;
  }
}

/** Met by those who use translations of the mm, and those who declare them out of date. */
export const useOf = (executor: Executor, mm: Mm): number =>
  executor.locations.named(`${mm.name} translations`);

const lifeOf = (executor: Executor, mm: Mm): number =>
  executor.locations.named(`${mm.name} lifetime`);

const cellsOf = (mm: Mm) => [
  mm.mmCount,
  mm.mmUsers,
  mm.tlbGeneration,
  mm.mmapLock,
  ...(mm.lockSequence === null ? [] : [mm.lockSequence]),
  mm.tlbFlushBatched,
  ...mm.pageTableLocks.all,
  ...mm.cpumask.words,
];
