// The block of f64 fields through which a stream's description and progress reach the machine.

import { type PageNumber, pageOf, type VirtualAddress, virtualAddress } from "../base/address.ts";
import type { Stream, StreamOrder } from "./stream.ts";
import type { MachineInstance } from "./wasm.ts";

/** Where in the address space a stream stopped. */
export interface StreamEvent {
  readonly address: VirtualAddress;
  readonly page: PageNumber;
}

function eventAt(word: bigint): StreamEvent {
  const address = virtualAddress(word);
  return { address, page: pageOf(address) };
}

export type StreamStop = "done" | "horizon" | "fault" | "stale";

const STOPS: readonly StreamStop[] = ["done", "horizon", "fault", "stale"];

export class StreamBlock {
  /** A view of the block; its buffer is replaced when the machine's memory grows. */
  private fields: Float64Array;
  private readonly fieldCount: number;
  private readonly orders: Readonly<Record<StreamOrder, number>>;
  private readonly kinds: Readonly<Record<Stream["kind"], number>>;
  private readonly firstPage: number;
  private readonly progress: number;

  constructor(private readonly instance: MachineInstance) {
    const { constant } = instance;
    this.fieldCount = constant("STREAM_FIELDS");
    this.firstPage = constant("STREAM_PAGES");
    this.progress = constant("STREAM_POSITION");
    this.orders = {
      sequential: constant("ORDER_SEQUENTIAL"),
      random: constant("ORDER_RANDOM"),
      chase: constant("ORDER_CHASE"),
      list: constant("ORDER_LIST"),
    };
    this.kinds = {
      read: constant("READ"),
      write: constant("WRITE"),
      execute: constant("EXECUTE"),
    };
    this.fields = this.view();
  }

  /** Runs the stream on a core and brings its progress up to date. */
  run(core: number, stream: Stream, horizonCycle: number): StreamStop {
    if (this.fields.length === 0) this.fields = this.view();
    this.write(stream);
    const stop = this.instance.functions.runStream(core, horizonCycle);
    if (this.fields.length === 0) this.fields = this.view();
    const { fields, progress } = this;
    stream.position = fields[progress]!;
    stream.remaining = fields[progress + 1]!;
    stream.random = fields[progress + 2]!;
    return STOPS[stop]!;
  }

  fault(core: number): StreamEvent & { readonly errorCode: number } {
    const { functions } = this.instance;
    return { ...eventAt(functions.faultAddress(core)), errorCode: functions.faultErrorCode(core) };
  }

  stale(core: number): StreamEvent {
    return eventAt(this.instance.functions.staleAddress(core));
  }

  /** In the order of assembly/abi.ts, STREAM_BASE_PAGE and following. */
  private write(stream: Stream): void {
    const { fields } = this;
    fields[0] = stream.base;
    fields[1] = stream.strideBytes;
    fields[2] = stream.stagger ? 1 : 0;
    fields[3] = stream.elements;
    fields[4] = this.orders[stream.order];
    fields[5] = this.kinds[stream.kind];
    fields[6] = stream.kind === "read" ? stream.writePercent : 0;
    fields[7] = stream.thinkCycles;
    fields[8] = stream.position;
    fields[9] = stream.remaining;
    fields[10] = stream.random;
    if (stream.pages !== undefined) fields.set(stream.pages, this.firstPage);
  }

  private view(): Float64Array {
    const { functions, memory } = this.instance;
    return new Float64Array(memory.buffer, functions.streamBlock(), this.fieldCount);
  }
}
