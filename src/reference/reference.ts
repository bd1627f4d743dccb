// The reference model: x86 paging as the manual defines it, entry by entry, with no caches and no
// cycles. What it answers is what a processor must answer once nothing stale is cached.
//
// Not here: CET, LAM, HLAT, nested paging, memory types, compatibility mode.

import type {
  Access,
  AccessOutcome,
  ControlInstruction,
  ControlRegisters,
  Fault,
  PagingEngine,
  PagingFeatures,
} from "../base/architecture.ts";
import { writeControl } from "./control.ts";
import { SHAPES } from "./entry.ts";
import { faultOfInvpcid } from "./invalidate.ts";
import { PhysicalMemory, type ReadPhysical } from "./memory.ts";
import type { Processor } from "./registers.ts";
import { spanOf } from "./span.ts";
import { walk, type Walk } from "./walk.ts";

/** What an access came to, and the walks that it took: one, or two if it crosses a page. */
export interface Explanation {
  readonly outcome: AccessOutcome;
  readonly walks: readonly Walk[];
}

export class ReferenceEngine implements PagingEngine {
  private processor: Processor;
  private readonly memory = new PhysicalMemory();
  private readonly read: ReadPhysical = (address, bytes) => this.memory.read(address, bytes);

  constructor(features: PagingFeatures, registers: ControlRegisters) {
    // All of memory is zero, and so are the PDPTEs in it.
    this.processor = { features, registers, pdptes: [0n, 0n, 0n, 0n] };
  }

  get registers(): ControlRegisters {
    return this.processor.registers;
  }

  access(access: Access): AccessOutcome {
    const { outcome, walks } = this.explain(access);
    walks.forEach((pageWalk) => this.setFlags(pageWalk));
    return outcome;
  }

  /** What `access` would come to, without making it. */
  explain(access: Access): Explanation {
    const span = spanOf(this.processor.registers, access);
    if (span.fault !== undefined) return { outcome: { fault: span.fault }, walks: [] };
    const walks: Walk[] = [];
    const reached: bigint[] = [];
    for (const address of span.addresses) {
      const pageWalk = walk(this.processor, this.read, access, address);
      walks.push(pageWalk);
      if (pageWalk.outcome.fault !== undefined)
        return { outcome: { fault: pageWalk.outcome.fault }, walks };
      reached.push(pageWalk.outcome.physical);
    }
    const [physical, secondPhysical] = reached as [bigint, bigint?];
    const second = secondPhysical === undefined ? {} : { secondPhysical };
    return { outcome: { reached: { physical, ...second } }, walks };
  }

  control(instruction: ControlInstruction): Fault | undefined {
    if (instruction.kind === "invlpg") return undefined;
    if (instruction.kind === "invpcid") return faultOfInvpcid(this.processor, instruction);
    const { register, value } = instruction;
    const written = writeControl(register, { processor: this.processor, value, read: this.read });
    if (written.fault !== undefined) return written.fault;
    this.processor = written.processor;
    return undefined;
  }

  readPhysical(address: bigint, bytes: 4 | 8): bigint {
    return this.memory.read(address, bytes);
  }

  writePhysical(address: bigint, bytes: 4 | 8, value: bigint): void {
    this.memory.write(address, bytes, value);
  }

  /**
   * SDM 3A 4.8. Each page of an access is translated by itself: the manual leaves open whether the
   * first keeps its D if the second faults, and the recorded engines all set it.
   */
  private setFlags({ steps, mode }: Walk): void {
    const { entryBytes } = SHAPES[mode];
    for (const { address, flags } of steps) {
      if (address === undefined || flags === 0n) continue;
      this.memory.write(address, entryBytes, this.memory.read(address, entryBytes) | flags);
    }
  }
}

export const bootReference = (
  features: PagingFeatures,
  registers: ControlRegisters,
): ReferenceEngine => new ReferenceEngine(features, registers);
