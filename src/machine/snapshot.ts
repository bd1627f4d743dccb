// A machine's whole state: all of its memory that is in use. What is above is zero, and has to be
// so again after a restore, because the machine hands it out as zeros.

import { type MachineInstance, watched } from "./wasm.ts";

export interface Snapshot {
  readonly bytes: Uint8Array;
  /** Whose state it is: no other machine can be brought back to it. */
  readonly of: object;
}

export class Snapshots {
  /** The instance as everybody is to call it. */
  readonly instance: MachineInstance;
  /** The snapshot that the machine is known to be as. */
  private current: Snapshot | null = null;

  /** @param isWatched - Whether calls are watched, so that a restore of what is current is free. */
  constructor(
    instance: MachineInstance,
    private readonly isWatched: boolean,
  ) {
    const onUse = (): void => {
      this.current = null;
    };
    this.instance = isWatched ? watched(instance, onUse) : instance;
  }

  take(): Snapshot {
    const { functions, memory } = this.instance;
    return { bytes: new Uint8Array(memory.buffer, 0, functions.heapTop()).slice(), of: this };
  }

  /** Whether it was taken here. */
  isOwn(snapshot: unknown): snapshot is Snapshot {
    return typeof snapshot === "object" && (snapshot as Snapshot | null)?.of === this;
  }

  /** Brings back the state of a snapshot of the same instance. */
  restore(snapshot: Snapshot): void {
    if (this.isWatched && this.current === snapshot) return;
    const { functions, memory } = this.instance;
    const { bytes } = snapshot;
    const used = new Uint8Array(memory.buffer, 0, functions.heapTop());
    used.fill(0, Math.min(bytes.length, used.length));
    new Uint8Array(memory.buffer).set(bytes);
    this.current = snapshot;
  }
}
