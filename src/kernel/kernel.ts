// The kernel as a whole: its CPUs, its address spaces, its options. Kernel code reaches everything
// from its Cpu.

import type { FrameNumber, PageNumber } from "../base/address.ts";
import { assert } from "../base/assert.ts";
import type { Machine } from "../machine/machine.ts";
import { PageTables } from "../machine/page-table.ts";
import { Activation } from "./activation.ts";
import type { X2apic } from "./apic.ts";
import { Cell, type Line } from "./cell.ts";
import type { Cpu } from "./cpu.ts";
import { CpuMask } from "./cpu-mask.ts";
import { exit } from "./exit.ts";
import { FrameAllocator } from "./frames.ts";
import { GlobalAsids } from "./global-asids.ts";
import { idleLoop } from "./idle.ts";
import type { LazyPolicy } from "./lazy/policy.ts";
import { Mm } from "./mm.ts";
import type { MutationName } from "./mutation.ts";
import { call, type Kernel } from "./operation.ts";
import type { NewTask } from "./process.ts";
import { type Restore, saveArray, saveSet } from "./save.ts";
import { LatrRing } from "./shootdown/latr-ring.ts";
import type { ShootdownProtocol } from "./shootdown/protocol.ts";
import { CallQueue } from "./smp.ts";
import { Task } from "./task.ts";
import { DYNAMIC_ASIDS, type FlushInfo, type SWITCHING } from "./tlb-state.ts";
import { WaitQueue } from "./wait-queue.ts";

export interface KernelOptions {
  /** CR4.PCIDE. */
  readonly pcid: boolean;
  /** tlb_single_page_flush_ceiling, in pages. */
  readonly flushCeiling: number;
  /** Page-table isolation: a root for user mode, a root for the kernel. Off unless given. */
  readonly pti?: boolean;
  /** X86_FEATURE_INVPCID: whether the kernel uses the instruction. Off unless given. */
  readonly invpcid?: boolean;
  /** How an idle CPU waits: only "halt" needs an interrupt to be woken. */
  readonly idle: "poll" | "mwait" | "halt" | "c6";
  /** How the local APICs are addressed: "cluster" unless given. */
  readonly x2apic?: X2apic;
  /** apic_use_ipi_shorthand: one ICR write reaches every other CPU. Off unless given. */
  readonly ipiShorthand?: boolean;
  /** A freed frame is never handed out again, so that every use after the free is seen as one. */
  readonly quarantinesFrames?: boolean;
  /** CONFIG_PER_VMA_LOCK: faults lock their area, not the whole mm. Off unless given. */
  readonly vmaLocks?: boolean;
  /** Whether INVLPGB is used where the protocol knows how, which needs PCIDs. */
  readonly invlpgb?: boolean;
  /** An mm that is active on more CPUs than this gets a global ASID: 3 unless given. */
  readonly globalAsidCpus?: number;
  /** The mistake that this kernel makes, if it makes one. */
  readonly mutation?: MutationName;
}

/** What an idle task does: the idle loop, unless a replay takes its place. */
export type IdleProgram = (cpu: Cpu) => Kernel;

export class KernelState {
  readonly frames: FrameAllocator;
  /** ZERO_PAGE: what reads of untouched anonymous memory see. */
  readonly zeroFrame: FrameNumber;
  readonly initMm: Mm;
  readonly cpus: readonly Cpu[];
  readonly globalAsids: GlobalAsids;
  /** vmap_area_lock: guards the areas of init_mm, which are those of vmalloc. */
  readonly vmapAreaLock: Cell<number>;
  /** Address spaces not yet freed, init_mm not among them. */
  readonly liveMms = new Set<Mm>();
  readonly tasks: Task[] = [];
  /** cpu_online_mask: who may be interrupted. */
  readonly onlineMask: CpuMask;
  /** Set by the program that ends the run. */
  stopped = false;
  /** Set by a program that can go on only when its input has been read: see Clock.run. */
  starved = false;
  /** The kernel half has page tables, which every root made from now on shares. */
  private kernelTables: PageNumber | null = null;
  private readonly parts = new Map<object, object>();
  private nextPid = 1;
  private nextContextId = 1;

  constructor(
    readonly machine: Machine,
    readonly lazyPolicy: LazyPolicy,
    readonly protocol: ShootdownProtocol,
    readonly options: KernelOptions,
    private readonly idleProgram: IdleProgram = idleLoop,
  ) {
    const { invlpgb = false, pcid } = options;
    const canBroadcast = (): boolean => pcid && machine.broadcasts.pageLimit > 0;
    assert(!invlpgb || canBroadcast(), "INVLPGB is used with PCIDs, on a CPU that has it");
    this.frames = new FrameAllocator(!options.quarantinesFrames);
    this.zeroFrame = this.frames.allocate();
    this.initMm = this.newMm("init_mm", 0, false);
    this.globalAsids = new GlobalAsids(this.allocateLine(0));
    this.vmapAreaLock = new Cell("vmap_area_lock", this.allocateLine(0), 0);
    this.cpus = Array.from({ length: machine.coreCount }, (_, id) => this.createCpu(id));
    // Each CPU's idle task starts as a lazy user of init_mm.
    if (lazyPolicy.lazyReference === "active-mm") this.initMm.mmCount.value += this.cpus.length;
    for (const cpu of this.cpus) this.startCpu(cpu);
    const line = (): Line => this.allocateLine(0);
    this.onlineMask = new CpuMask("cpu_online_mask", this.cpus.length, line, null);
    for (const word of this.onlineMask.words) word.value = 0xffff_ffff; // none beyond is asked for
  }

  /** A line of kernel memory in the node of `cpu`. */
  allocateLine(cpu: number): Line {
    return { index: this.machine.allocateLine(this.machine.socketOf(cpu)) };
  }

  /** Shared variables of a protocol's own, which are made when they are first asked for. */
  part<T extends object>(create: new (kernel: KernelState) => T): T {
    let part = this.parts.get(create) as T | undefined;
    if (part === undefined) this.parts.set(create, (part = new create(this)));
    return part;
  }

  createMm(name: string, homeCpu: number): Mm {
    const mm = this.newMm(name, homeCpu, this.options.vmaLocks === true);
    this.liveMms.add(mm);
    return mm;
  }

  /**
   * free_mm and mm_free_pgd: roots and struct go back; pointers to them are dangling from now on.
   */
  release(mm: Mm): void {
    mm.freed = true;
    this.liveMms.delete(mm);
    for (const root of mm.roots) this.releaseTable(root);
    for (const line of mm.lines()) this.machine.freeLine(line.index);
  }

  releaseTable(table: FrameNumber): void {
    this.machine.releaseFrame(table);
    this.frames.release(table);
  }

  /**
   * preallocate_vmalloc_pages, at the first use: the tables under the top-level entry of `page` are
   * made, and the entry goes into every kernel root.
   */
  shareKernelTables(page: PageNumber): void {
    if (this.kernelTables !== null) return;
    this.kernelTables = page;
    this.initMm.tables.makeTables(page);
    for (const mm of this.liveMms) mm.tables.shareTop(this.initMm.tables, page);
  }

  createTask(request: NewTask, parent: Task | null, isKernelThread: boolean): Task {
    const program = function* (task: Task) {
      yield* call(request.program(task));
      yield* exit(task);
    };
    const pid = this.nextPid++;
    const exits = new WaitQueue(`${request.name}.wait_chldexit`, this.allocateLine(request.cpu.id));
    const task = new Task(pid, request.name, request.cpu, program, parent, exits, isKernelThread);
    parent?.children.push(task);
    this.tasks.push(task);
    return task;
  }

  /** Its own plain variables; see save.ts for all that it has. */
  save(): Restore {
    const { stopped, starved, nextPid, nextContextId, kernelTables } = this;
    const liveMms = saveSet(this.liveMms);
    const tasks = saveArray(this.tasks);
    const frames = this.frames.save();
    const globalAsids = this.globalAsids.save();
    return () => {
      Object.assign(this, { stopped, starved, nextPid, nextContextId, kernelTables });
      liveMms();
      tasks();
      frames();
      globalAsids();
    };
  }

  private newMm(name: string, homeCpu: number, vmaLocks: boolean): Mm {
    const allocate = (): FrameNumber => this.frames.allocate();
    const root = allocate();
    const tables = new PageTables(
      this.machine,
      allocate,
      root,
      this.options.pti ? allocate() : null,
    );
    if (this.kernelTables !== null) tables.shareTop(this.initMm.tables, this.kernelTables);
    const lines = {
      allocate: () => this.allocateLine(homeCpu),
      free: (line: Line) => this.machine.freeLine(line.index),
    };
    const { coreCount } = this.machine;
    return new Mm(name, this.nextContextId++, tables, coreCount, lines, vmaLocks);
  }

  private createCpu(id: number): Cpu {
    const line = (): Line => this.allocateLine(id);
    const cell = <T>(name: string, where: Line, value: T): Cell<T> =>
      new Cell(`cpu${id}.${name}`, where, value);
    const queueLine = line();
    const hazardLine = line();
    const tlbLine = line();
    const calls = new CallQueue(id, line);
    const beside = { loaded_mm: tlbLine, call_single_queue: calls.head.line };
    const { isLazyBeside } = this.protocol;
    const isLazyLine = isLazyBeside === undefined ? line() : beside[isLazyBeside];
    const cpu: Omit<Cpu, "idle" | "current" | "previous"> = {
      id,
      kernel: this,
      runQueue: {
        lock: cell("rq.lock", queueLine, 0),
        tasks: [],
        prevMm: null,
        lazyMm: cell<Mm | null>("rq.lazy_mm", hazardLine, null),
        dropMm: cell<Mm | null>("rq.drop_mm", hazardLine, null),
      },
      tlb: {
        loadedMm: cell<Mm | typeof SWITCHING>("loaded_mm", tlbLine, this.initMm),
        activeMm: cell("active_mm", tlbLine, this.initMm),
        isLazy: cell("is_lazy", isLazyLine, false),
        inBatchedCall: cell("in_batched_call", isLazyLine, false),
        flushInfo: cell<FlushInfo | null>("flush_tlb_info", line(), null),
        globalAsid: cell("loaded_mm_asid", tlbLine, 0),
        remoteFlushes: 0,
        loadedAsid: 0,
        nextAsid: 1,
        contexts: Array.from({ length: DYNAMIC_ASIDS }, () => ({ contextId: 0, tlbGeneration: 0 })),
        cr3Mm: this.initMm,
        onUserRoot: false,
        userPcidFlushMask: 0,
        pendingUserFlush: null,
        invalidateOther: false,
      },
      calls,
      flags: cell("thread_info.flags", line(), 0),
      preempted: cell("steal_time.preempted", line(), 0),
      latr: this.protocol.lazyUnmap === undefined ? null : new LatrRing(id, line),
      isOffline: false,
      isDead: cell("cpuhp_state.dead", line(), false),
    };
    return this.withIdleTask(cpu);
  }

  private withIdleTask(part: Omit<Cpu, "idle" | "current" | "previous">): Cpu {
    const cpu = part as Cpu;
    const exits = new WaitQueue(`swapper/${cpu.id}`, this.allocateLine(cpu.id));
    const idle = new Task(
      0,
      `swapper/${cpu.id}`,
      cpu,
      () => this.idleProgram(cpu),
      null,
      exits,
      true,
    );
    idle.activeMm = this.initMm;
    idle.onQueue = true;
    idle.stack.push(new Activation(idle.program(idle), "task"));
    return Object.assign(cpu, { idle, current: idle, previous: idle });
  }

  /** initialize_tlbstate_and_flush, and the CPU's first CR3. */
  private startCpu(cpu: Cpu): void {
    const { machine, initMm, options } = this;
    cpu.tlb.contexts[0]!.contextId = initMm.contextId;
    cpu.tlb.contexts[0]!.tlbGeneration = 1;
    machine.writeCr4(cpu.id, { globalPages: true, pcid: options.pcid });
    machine.writeCr3(cpu.id, { root: initMm.root, pcid: options.pcid ? 1 : 0, keep: false });
    machine.setInterruptFlag(cpu.id, true);
  }
}
