// What the explorer keeps of one CPU: its store buffer, its interrupts, its TLB.

import { empty } from "../../base/empty.ts";
import type { PageNumber } from "../../base/address.ts";
import type { Activation } from "../../kernel/operation/activation.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Broadcast } from "../../machine/broadcast.ts";
import type { Locations } from "./locations.ts";
import { SpeculativeTlb } from "./possible-tlb.ts";
import { StoreBuffer } from "./store-buffer.ts";

export class CpuState {
  readonly buffer = new StoreBuffer();
  readonly tlb: SpeculativeTlb;
  /** The host has taken the vCPU away: it executes nothing and takes no interrupt. */
  isPreempted = false;
  /** INVLPGBs begun and not yet waited for. */
  readonly broadcasts: Broadcast[] = [];
  /** By address space: the step at which a flush of it by this CPU last returned. */
  readonly flushed = new Map<string, number>();
  /** Vectors in the local APIC's request register, ascending. */
  readonly pendingVectors: number[] = [];
  /** Who runs on the CPU: an interrupt and the code below it cannot change places. */
  readonly controlLocation: number;
  /** Whether the store buffer is empty. */
  readonly bufferLocation: number;
  readonly pendingLocation: number;
  /** The root in CR3. */
  readonly rootLocation: number;
  /** CR3, and what of it is cached. */
  readonly tlbLocation: number;
  /** What code it is in, as a checker tells it. */
  readonly placeLocation: number;

  constructor(
    readonly cpu: Cpu,
    pages: readonly PageNumber[],
    locations: Locations,
    accessesEarly: () => boolean,
  ) {
    const { machine } = cpu.kernel;
    this.tlb = new SpeculativeTlb(machine, cpu.id, pages, accessesEarly);
    const named = (what: string): number => locations.named(`cpu${cpu.id} ${what}`);
    this.controlLocation = named("control");
    this.bufferLocation = named("store buffer");
    this.pendingLocation = named("pending interrupts");
    this.rootLocation = named("root");
    this.tlbLocation = named("TLB");
    this.placeLocation = named("place");
  }

  /** RFLAGS.IF */
  get interruptsOn(): boolean {
    return this.cpu.interruptsOn;
  }

  set interruptsOn(on: boolean) {
    this.cpu.interruptsOn = on;
  }

  get top(): Activation {
    const { stack } = this.cpu.current;
    return stack[stack.length - 1]!;
  }

  get isInInterrupt(): boolean {
    const { stack } = this.cpu.current;
    for (let index = 0; index < stack.length; index++) {
      if (stack[index]!.kind === "interrupt") return true;
    }
    return false;
  }

  restart(): void {
    this.buffer.clear();
    this.interruptsOn = true;
    this.isPreempted = false;
    if (this.flushed.size > 0) this.flushed.clear();
    empty(this.broadcasts);
    empty(this.pendingVectors);
    this.tlb.restore();
  }

  /** A vector arrives; one that is pending already is not pending twice. */
  post(vector: number): void {
    const { pendingVectors } = this;
    if (pendingVectors.includes(vector)) return;
    pendingVectors.push(vector);
    pendingVectors.sort((a, b) => a - b);
  }
}
