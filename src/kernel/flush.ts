// Asking for a flush: what the kernel's callers use. The protocol does the work; that a flush was
// asked for, and is over, is told here, so that no protocol can forget to be checked.

import type { PageRange } from "../base/address.ts";
import type { Cpu } from "./cpu.ts";
import { call, type Kernel, note } from "./operation.ts";
import type { FlushRequest } from "./shootdown/protocol.ts";

/** flush_tlb_mm_range: see ShootdownProtocol.flushRange. */
export function* flushRange(cpu: Cpu, request: FlushRequest): Kernel {
  const { mm, range } = request;
  yield* note({ kind: "flushBegin", mm, range });
  const remote = yield* call(cpu.kernel.protocol.flushRange(cpu, request));
  yield* note({ kind: "flushReturn", mm, range, remote });
}

/** flush_tlb_kernel_range: see ShootdownProtocol.flushKernelRange. */
export function* flushKernelRange(cpu: Cpu, range: PageRange): Kernel {
  yield* note({ kind: "kernelFlushBegin", range });
  yield* call(cpu.kernel.protocol.flushKernelRange(cpu, range));
  yield* note({ kind: "kernelFlushReturn", range });
}
