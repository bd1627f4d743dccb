// start_kernel: a kernel on a machine, with every CPU idle.

import type { Machine } from "../machine/machine.ts";
import { idleLoop } from "./cpu/idle.ts";
import { Activation } from "./operation/activation.ts";
import { Cell, type Line } from "./operation/cell.ts";
import type { KernelCode } from "./operation/operation.ts";
import { CallQueue } from "./state/call-queue.ts";
import type { Cpu } from "./state/cpu.ts";
import { nameHooks } from "./state/hook-names.ts";
import { Kernel } from "./state/kernel.ts";
import type { KernelOptions } from "./state/kernel-options.ts";
import type { LazyPolicy } from "./state/lazy-policy.ts";
import type { Mm } from "./state/mm.ts";
import type { ShootdownProtocol } from "./state/shootdown-protocol.ts";
import { Task } from "./state/task.ts";
import { DYNAMIC_ASIDS, type FlushInfo, type SWITCHING } from "./state/tlb-state.ts";
import { WaitQueue } from "./state/wait-queue.ts";

/** What an idle task does: the idle loop, unless a replay takes its place. */
export type IdleProgram = (cpu: Cpu) => KernelCode;

export interface BootRequest {
  /** As after its own boot. */
  readonly machine: Machine;
  readonly policy: LazyPolicy;
  readonly protocol: ShootdownProtocol;
  readonly options: KernelOptions;
  /** The idle loop unless given. */
  readonly idleProgram?: IdleProgram | undefined;
}

export function startKernel({ machine, policy, protocol, options, ...boot }: BootRequest): Kernel {
  const { idleProgram = idleLoop } = boot;
  const kernel = new Kernel(machine, policy, protocol, options);
  nameHooks(policy, protocol);
  for (let id = 0; id < machine.coreCount; id++)
    kernel.cpus.push(createCpu(kernel, id, idleProgram));
  // Each CPU's idle task starts as a lazy user of init_mm.
  if (policy.lazyReference === "active-mm") kernel.initMm.mmCount.value += kernel.cpus.length;
  if (protocol.state !== undefined) kernel.part(protocol.state);
  for (const cpu of kernel.cpus) startCpu(cpu);
  return kernel;
}

function createCpu(kernel: Kernel, id: number, idleProgram: IdleProgram): Cpu {
  const line = (): Line => kernel.allocateLine(id);
  const cell = <T>(name: string, where: Line, value: T): Cell<T> =>
    new Cell(`cpu${id}.${name}`, where, value);
  const queueLine = line();
  const hazardLine = line();
  const tlbLine = line();
  const calls = new CallQueue(id, line);
  const beside = { loaded_mm: tlbLine, call_single_queue: calls.head.line };
  const { isLazyBeside } = kernel.protocol.traits;
  const isLazyLine = isLazyBeside === "nothing" ? line() : beside[isLazyBeside];
  const cpu: Omit<Cpu, "idle" | "current" | "previous"> = {
    id,
    kernel,
    runQueue: {
      lock: cell("rq.lock", queueLine, 0),
      tasks: [],
      prevMm: null,
      lazyMm: cell<Mm | null>("rq.lazy_mm", hazardLine, null),
      dropMm: cell<Mm | null>("rq.drop_mm", hazardLine, null),
    },
    tlb: {
      loadedMm: cell<Mm | typeof SWITCHING>("loaded_mm", tlbLine, kernel.initMm),
      activeMm: cell("active_mm", tlbLine, kernel.initMm),
      isLazy: cell("is_lazy", isLazyLine, false),
      inBatchedCall: cell("in_batched_call", isLazyLine, false),
      flushInfo: cell<FlushInfo | null>("flush_tlb_info", line(), null),
      globalAsid: cell("loaded_mm_asid", tlbLine, 0),
      remoteFlushes: 0,
      loadedAsid: 0,
      nextAsid: 1,
      contexts: Array.from({ length: DYNAMIC_ASIDS }, () => ({ contextId: 0, tlbGeneration: 0 })),
      contextLine: line(),
      cr3Mm: kernel.initMm,
      onUserRoot: false,
      userPcidFlushMask: 0,
      pendingUserFlush: null,
      invalidateOther: false,
    },
    calls,
    preempted: cell("steal_time.preempted", line(), 0),
    interruptsOn: true,
    isOffline: false,
    isDead: cell("cpuhp_state.dead", line(), false),
  };
  return withIdleTask(cpu, idleProgram);
}

/** init_idle */
function withIdleTask(part: Omit<Cpu, "idle" | "current" | "previous">, run: IdleProgram): Cpu {
  const cpu = part as Cpu;
  const name = `swapper/${cpu.id}`;
  const line = (): Line => cpu.kernel.allocateLine(cpu.id);
  const exits = new WaitQueue(name, line());
  const idle = new Task(0, name, cpu, () => run(cpu), null, exits, true, line());
  idle.activeMm = cpu.kernel.initMm;
  idle.onQueue = true;
  idle.stack.push(new Activation(idle.program(idle), "task"));
  return Object.assign(cpu, { idle, current: idle, previous: idle });
}

/** initialize_tlbstate_and_flush, and the CPU's first CR3. */
function startCpu(cpu: Cpu): void {
  const { machine, initMm, options } = cpu.kernel;
  cpu.tlb.contexts[0]!.contextId = initMm.contextId;
  cpu.tlb.contexts[0]!.tlbGeneration = 1;
  machine.writeCr4(cpu.id, { globalPages: true, pcid: options.pcid });
  machine.writeCr3(cpu.id, { root: initMm.root, pcid: options.pcid ? 1 : 0, keep: false });
  machine.setInterruptFlag(cpu.id, true);
}
