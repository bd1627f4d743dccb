// The page allocator: frames by number, and how many address spaces map each (struct page's
// mapcount).

import { assert } from "../base/assert.ts";
import { type FrameNumber, frameNumber } from "../base/address.ts";
import { type Restore, saveArray } from "./save.ts";

/** Frames below this are left to firmware and the kernel's image. */
const FIRST_FRAME = 0x100;

export class FrameAllocator {
  private nextFrame = FIRST_FRAME;
  private readonly freeFrames: FrameNumber[] = [];
  private readonly mapCounts = new Map<FrameNumber, number>();

  /** @param reuses - Whether freed frames are handed out again. */
  constructor(private readonly reuses: boolean) {}

  /** alloc_page: the frame freed last, or a fresh one. */
  allocate(): FrameNumber {
    const freed = this.reuses ? this.freeFrames.pop() : undefined;
    const frame = freed ?? frameNumber(this.nextFrame++);
    this.mapCounts.set(frame, 1);
    return frame;
  }

  /** One more address space maps the frame (fork). */
  share(frame: FrameNumber): void {
    this.mapCounts.set(frame, this.mapCount(frame) + 1);
  }

  mapCount(frame: FrameNumber): number {
    return this.mapCounts.get(frame) ?? 0;
  }

  /** put_page: the last user frees the frame. True when it did. */
  release(frame: FrameNumber): boolean {
    const count = this.mapCount(frame);
    assert(count > 0, `frame ${frame} is released by one of its users`);
    if (count > 1) {
      this.mapCounts.set(frame, count - 1);
      return false;
    }
    this.mapCounts.delete(frame);
    this.freeFrames.push(frame);
    return true;
  }

  save(): Restore {
    const { nextFrame } = this;
    const counts = [...this.mapCounts];
    const free = saveArray(this.freeFrames);
    return () => {
      this.nextFrame = nextFrame;
      this.mapCounts.clear();
      for (let index = 0; index < counts.length; index++) {
        this.mapCounts.set(counts[index]![0], counts[index]![1]);
      }
      free();
    };
  }

  /** Frames in use, for leak checks. */
  get inUse(): number {
    return this.mapCounts.size;
  }
}
