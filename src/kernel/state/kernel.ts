// The kernel as data: its CPUs, its address spaces, its options. Kernel code reaches everything
// from its Cpu. boot.ts makes one.

import type { FrameNumber, PageNumber } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import { type Restore, saveArray, saveSet } from "../../base/restore.ts";
import type { Machine } from "../../machine/machine.ts";
import { PageTables } from "../../machine/page-table.ts";
import { Cell, type Line } from "../operation/cell.ts";
import type { Cpu } from "./cpu.ts";
import { CpuMask } from "./cpu-mask.ts";
import { FrameAllocator } from "./frames.ts";
import { GlobalAsids } from "./global-asids.ts";
import type { KernelOptions } from "./kernel-options.ts";
import type { LazyPolicy } from "./lazy-policy.ts";
import { Mm } from "./mm.ts";
import type { ShootdownProtocol } from "./shootdown-protocol.ts";
import type { Task } from "./task.ts";

/** Shared variables of a protocol's own: see `Kernel.part`. */
export interface KernelPart {
  /** Its plain variables; cells are not among them: see save.ts. */
  save(): Restore;
}

export class Kernel {
  readonly frames: FrameAllocator;
  /** ZERO_PAGE: what reads of untouched anonymous memory see. */
  readonly zeroFrame: FrameNumber;
  readonly initMm: Mm;
  /** boot.ts makes them. */
  readonly cpus: Cpu[] = [];
  readonly globalAsids: GlobalAsids;
  /** vmap_area_lock: guards the areas of init_mm, which are those of vmalloc. */
  readonly vmapAreaLock: Cell<number>;
  /** Address spaces not yet freed, init_mm not among them. */
  readonly liveMms = new Set<Mm>();
  readonly tasks: Task[] = [];
  /** cpu_online_mask: the CPUs that may be interrupted. */
  readonly onlineMask: CpuMask;
  /** Set by the program that ends the run. */
  stopped = false;
  /** Set by a program that can go on only when its input has been read: see Clock.run. */
  starved = false;
  /** The kernel half has page tables, which every root made from now on shares. */
  private kernelTables: PageNumber | null = null;
  private readonly parts = new Map<object, KernelPart>();
  private nextPid = 1;
  private nextContextId = 1;

  constructor(
    readonly machine: Machine,
    readonly lazyPolicy: LazyPolicy,
    readonly protocol: ShootdownProtocol,
    readonly options: KernelOptions,
  ) {
    const { invlpgb = false, pcid } = options;
    const canBroadcast = (): boolean => pcid && machine.broadcasts.pageLimit > 0;
    assert(!invlpgb || canBroadcast(), "INVLPGB is used with PCIDs, on a CPU that has it");
    this.frames = new FrameAllocator(!options.quarantinesFrames);
    this.zeroFrame = this.frames.allocate();
    this.initMm = this.newMm("init_mm", 0, false);
    this.globalAsids = new GlobalAsids(this.allocateLine(0));
    this.vmapAreaLock = new Cell("vmap_area_lock", this.allocateLine(0), 0);
    const line = (): Line => this.allocateLine(0);
    this.onlineMask = new CpuMask("cpu_online_mask", machine.coreCount, line, null);
    for (const word of this.onlineMask.words) word.value = 0xffff_ffff; // none beyond is asked for
  }

  /** A line of kernel memory in the node of `cpu`. */
  allocateLine(cpu: number): Line {
    return { index: this.machine.allocateLine(this.machine.socketOf(cpu)) };
  }

  /** Shared variables of a protocol's own, which are made when they are first asked for. */
  part<T extends KernelPart>(create: new (kernel: Kernel) => T): T {
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

  /** alloc_pid, and a place in the list of tasks. */
  addTask(create: (pid: number) => Task): Task {
    const task = create(this.nextPid++);
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
    const parts = [...this.parts.values()].map((part) => part.save());
    return () => {
      this.stopped = stopped;
      this.starved = starved;
      this.nextPid = nextPid;
      this.nextContextId = nextContextId;
      this.kernelTables = kernelTables;
      liveMms();
      tasks();
      frames();
      globalAsids();
      for (const restore of parts) restore();
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
}
