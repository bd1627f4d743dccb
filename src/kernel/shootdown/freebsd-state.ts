// What FreeBSD's flushes and switches share between CPUs: a scoreboard of who has acknowledged
// whom, a request per CPU, and of each address space the PCID that it has on each CPU.

import { Cell, type Line } from "../operation/cell.ts";
import type { PageRange } from "../../base/address.ts";
import type { Restore } from "../../base/restore.ts";
import type { Kernel, KernelPart } from "../state/kernel.ts";
import type { Mm } from "../state/mm.ts";

const WORDS_PER_LINE = 16;

/** pc_smp_tlb_*: what a CPU asks of the others. */
export interface InvalidationRequest {
  readonly mm: Mm;
  /** Null: everything. */
  readonly range: PageRange | null;
  readonly generation: number;
}

/** struct pmap_pcid of one CPU, which alone writes it, but for a `generation` of 0. */
export interface PmapPcid {
  readonly pcid: Cell<number>;
  readonly generation: Cell<number>;
}

/** Per-CPU variables of the PCID allocator; only their own CPU touches them. */
export interface PcidAllocator {
  readonly next: Cell<number>;
  readonly generation: Cell<number>;
}

export class PmapState implements KernelPart {
  readonly requests: readonly Cell<InvalidationRequest | null>[];
  readonly allocators: readonly PcidAllocator[];
  private readonly rows: (readonly Cell<number>[])[] = [];
  private readonly pcids = new WeakMap<Mm, readonly PmapPcid[]>();

  constructor(private readonly kernel: Kernel) {
    this.requests = kernel.cpus.map(
      ({ id }) => new Cell<InvalidationRequest | null>(`cpu${id}.smp_tlb`, this.line(id), null),
    );
    this.allocators = kernel.cpus.map(({ id }) => {
      const line = this.line(id);
      return {
        next: new Cell(`cpu${id}.pcid_next`, line, 1),
        generation: new Cell(`cpu${id}.pcid_gen`, line, 1),
      };
    });
  }

  /** invl_scoreboard: 0 while `target` owes `initiator` an answer, else the last one answered. */
  slot(target: number, initiator: number): Cell<number> {
    return this.row(target)[initiator]!;
  }

  /** The words of one target, by initiator. */
  row(target: number): readonly Cell<number>[] {
    return (this.rows[target] ??= this.newRow(target));
  }

  /** pm_pcidp of one CPU. */
  pcidOf(mm: Mm, cpu: number): PmapPcid {
    let all = this.pcids.get(mm);
    if (all === undefined) {
      all = this.kernel.cpus.map(({ id }) => this.newPcid(mm, id));
      this.pcids.set(mm, all);
    }
    return all[cpu]!;
  }

  /** Gives back the lines of an address space that is no more; pointers to it may be left. */
  release(mm: Mm): void {
    for (const { pcid } of this.pcids.get(mm) ?? []) this.kernel.machine.freeLine(pcid.line.index);
  }

  /** All of it is cells. */
  save(): Restore {
    return () => {};
  }

  private newPcid(mm: Mm, cpu: number): PmapPcid {
    const line = this.line(cpu);
    const cell = (field: string): Cell<number> =>
      new Cell(`${mm.name}.pm_pcids[${cpu}].${field}`, line, 0, mm);
    return { pcid: cell("pm_pcid"), generation: cell("pm_gen") };
  }

  private newRow(target: number): readonly Cell<number>[] {
    const lines: Line[] = [];
    return this.kernel.cpus.map(({ id }) => {
      const line = (lines[Math.floor(id / WORDS_PER_LINE)] ??= this.line(target));
      return new Cell(`invl_scoreboard[${target}][${id}]`, line, 1);
    });
  }

  private line(cpu: number): Line {
    return this.kernel.allocateLine(cpu);
  }
}
