// N. Amit, A. Tai, M. Wei, "Don't shoot down TLB shootdowns!" (EuroSys 2020): what can be added to
// linux-5.13, one protocol for each technique and one for all of them. Concurrent flushing, the
// first of the paper's techniques, is linux-5.13 itself (against linux-4.20). Left out: the check
// by which an NMI between acknowledgement and flush keeps off user memory, for there are no NMIs.

import { LINUX_5_13_TRAITS } from "../state/protocol-traits.ts";
import type { Cpu } from "../state/cpu.ts";
import { isMutated } from "../state/mutated.ts";
import { type KernelCode, load } from "../operation/operation.ts";
import type { CallFunction, Rest } from "../state/call-queue.ts";
import type { FlushInfo } from "../state/tlb-state.ts";
import { batchedCalls, isInUserReach } from "./batched-calls.ts";
import { flushAsAsked, flushHere, isNotLazy } from "./generation.ts";
import { type Calling, flushingBy, flushMultiBy } from "./linux-5.13.ts";
import type { ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

interface Techniques {
  /**
   * A called CPU says that it is done before it flushes: from its handler's first instruction to
   * the return it uses no user translation. Not where tables are freed, which it may walk
   * speculatively.
   */
  readonly earlyAck?: boolean;
  /**
   * flush_tlb_info is in the call slot's line, and is_lazy in that of the queue's head, both of
   * which are needed anyway.
   */
  readonly fewerLines?: boolean;
  /**
   * With page-table isolation, a user PCID loses pages by INVLPG when it is current again, on the
   * way to user mode, and not by the dearer INVPCID from the kernel's. Not where tables are freed:
   * between MOV CR3 and INVLPG the CPU could walk them.
   */
  readonly inContext?: boolean;
  /**
   * Where a page is copied for its writer, the handler writes to it: the older entry allows no
   * write, so the TLB drops it and walks, as it will have to anyway. No INVLPG, which would empty
   * the paging-structure caches as well. The other CPUs, and a user PCID, are flushed as ever.
   */
  readonly writesToCopy?: boolean;
  /** CPUs in a system call that uses no user memory are passed over, and catch up at its end. */
  readonly batchedCalls?: boolean;
}

/** Reads what is asked for, which the initiator may overwrite once it is released. */
function* acknowledgeFirst(target: Cpu, { initiator, info }: Asked): KernelCode<Rest> {
  const read = info ?? (yield* load(initiator.tlb.flushInfo))!;
  return () => flushAsAsked(target, read, false);
}

/** Whose flush it is; and what it asks for, where that comes with the call. */
interface Asked {
  readonly initiator: Cpu;
  readonly info: FlushInfo | null;
}

const callingBy = ({ earlyAck = false, fewerLines = false, ...others }: Techniques): Calling => ({
  run(cpu, info): CallFunction {
    const asked = { initiator: cpu, info: fewerLines ? info : null };
    const mayWalk = info.freedTables && !isMutated(cpu, "early-ack-of-freed-tables");
    if (earlyAck && !mayWalk) return (target) => acknowledgeFirst(target, asked);
    if (fewerLines) return (target) => flushAsAsked(target, info, false);
    return (target) => flushHere(target, cpu);
  },
  condition: others.batchedCalls === true ? isInUserReach : isNotLazy,
});

const linux513With = (
  techniques: Techniques,
  named: Pick<ShootdownProtocol, "name" | "summary">,
): ShootdownProtocol => ({
  ...named,
  source: "Amit, Tai, Wei: Don't shoot down TLB shootdowns!, EuroSys 2020",
  ...flushingBy(flushMultiBy(callingBy(techniques))),
  traits: {
    ...LINUX_5_13_TRAITS,
    ...(techniques.fewerLines && { isLazyBeside: "call_single_queue" }),
    ...(techniques.inContext && { userFlush: "on-return" }),
    ...(techniques.writesToCopy && { copiedPage: "write" }),
  },
  ...(techniques.batchedCalls && { batchedCalls }),
});

export const earlyAck = linux513With(
  { earlyAck: true },
  { name: "early-ack", summary: "linux-5.13, and a called CPU acknowledges before it flushes" },
);

export const fewerLines = linux513With(
  { fewerLines: true },
  { name: "fewer-lines", summary: "linux-5.13 with what a flush shares in fewer cache lines" },
);

export const inContextFlush = linux513With(
  { inContext: true },
  {
    name: "in-context-flush",
    summary: "linux-5.13, user PCIDs flushed by INVLPG when they return",
  },
);

export const copyWithoutFlush = linux513With(
  { writesToCopy: true },
  {
    name: "copy-without-flush",
    summary: "linux-5.13, a copied page is written to, not flushed here",
  },
);

export const batchedSyscalls = linux513With(
  { batchedCalls: true },
  {
    name: "batched-syscalls",
    summary: "linux-5.13, CPUs in munmap and the like catch up at its end",
  },
);

export const eurosys20 = linux513With(
  { earlyAck: true, fewerLines: true, inContext: true, writesToCopy: true, batchedCalls: true },
  { name: "eurosys-20", summary: "linux-5.13 with every technique of EuroSys'20" },
);

nameFunctions({ acknowledgeFirst });
