// The plain variables of a kernel at one moment, and the way back to it, for an executor that runs
// the same code many times. Cells are not among them: their executor writes them, and takes its
// writes back. Nor are kernel stacks: code in progress cannot be copied.

import { empty } from "../../base/empty.ts";
import { type Restore, saveArray } from "../../base/restore.ts";
import type { Cpu } from "./cpu.ts";
import type { Kernel } from "./kernel.ts";
import type { Mm } from "./mm.ts";
import type { Task } from "./task.ts";

/** Saves everything that `kernel` has now; what is added later is forgotten by the restore. */
export function saveKernel(kernel: Kernel): Restore {
  const mms = [kernel.initMm, ...kernel.liveMms];
  const tasks = [...kernel.tasks, ...kernel.cpus.map((cpu) => cpu.idle)];
  const parts: readonly Restore[] = [
    kernel.save(),
    ...mms.map(saveMm),
    ...tasks.map(saveTask),
    ...kernel.cpus.map(saveCpu),
  ];
  return () => {
    for (let index = 0; index < parts.length; index++) parts[index]!();
  };
}

function saveMm(mm: Mm): Restore {
  const { freed, postponed } = mm;
  const areas = mm.areas.save();
  const locks = mm.pageTableLocks.save();
  const paths = saveArray(mm.privatePaths);
  return () => {
    paths();
    mm.freed = freed;
    mm.postponed = postponed;
    areas();
    locks();
  };
}

function saveTask(task: Task): Restore {
  const { mm, activeMm, state, onQueue, cpu, isKernelThread, signal } = task;
  const spinLocks = saveArray(task.spinLocks);
  const semaphores = saveArray(task.semaphores);
  const children = saveArray(task.children);
  const sleepers = saveArray(task.childExits.sleepers);
  return () => {
    task.mm = mm;
    task.activeMm = activeMm;
    task.state = state;
    task.onQueue = onQueue;
    task.cpu = cpu;
    task.isKernelThread = isKernelThread;
    task.signal = signal;
    spinLocks();
    semaphores();
    empty(task.stack);
    children();
    sleepers();
  };
}

function saveCpu(cpu: Cpu): Restore {
  const { current, previous, runQueue, tlb, isOffline } = cpu;
  const { prevMm } = runQueue;
  const { loadedAsid, nextAsid, contexts } = tlb;
  const { cr3Mm, onUserRoot, userPcidFlushMask, invalidateOther, remoteFlushes } = tlb;
  const { pendingUserFlush } = tlb;
  const contextIds = contexts.map(({ contextId }) => contextId);
  const generations = contexts.map(({ tlbGeneration }) => tlbGeneration);
  const tasks = saveArray(runQueue.tasks);
  return () => {
    cpu.current = current;
    cpu.previous = previous;
    cpu.isOffline = isOffline;
    runQueue.prevMm = prevMm;
    tasks();
    tlb.loadedAsid = loadedAsid;
    tlb.nextAsid = nextAsid;
    tlb.cr3Mm = cr3Mm;
    tlb.onUserRoot = onUserRoot;
    tlb.userPcidFlushMask = userPcidFlushMask;
    tlb.pendingUserFlush = pendingUserFlush;
    tlb.invalidateOther = invalidateOther;
    tlb.remoteFlushes = remoteFlushes;
    for (let slot = 0; slot < contexts.length; slot++) {
      contexts[slot]!.contextId = contextIds[slot]!;
      contexts[slot]!.tlbGeneration = generations[slot]!;
    }
  };
}
