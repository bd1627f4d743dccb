// A machine's whole state: all of its memory that is in use. What is above is zero, and has to be
// so again after a restore, because the machine hands it out as zeros.

import type { MachineInstance } from "./wasm.ts";

export interface Snapshot {
  readonly bytes: Uint8Array;
}

export function takeSnapshot({ functions, memory }: MachineInstance): Snapshot {
  return { bytes: new Uint8Array(memory.buffer, 0, functions.heapTop()).slice() };
}

/** Brings back the state of a snapshot of the same instance. */
export function restoreSnapshot({ functions, memory }: MachineInstance, { bytes }: Snapshot): void {
  const used = new Uint8Array(memory.buffer, 0, functions.heapTop());
  used.fill(0, Math.min(bytes.length, used.length));
  new Uint8Array(memory.buffer).set(bytes);
}
