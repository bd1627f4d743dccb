// The page allocator: frames by number, and how many address spaces map each (struct page's
// mapcount).

import { assert } from "../base/assert.ts";
import { type FrameNumber, frameNumber } from "../base/address.ts";
import { pagesPer } from "../machine/page-table.ts";
import { type Restore, saveArray, saveSet } from "./save.ts";

/** Frames below this are left to firmware and the kernel's image. */
const FIRST_FRAME = 0x100;

const LARGE_FRAMES = pagesPer("2M");

export class FrameAllocator {
  private nextFrame = FIRST_FRAME;
  private readonly freeFrames: FrameNumber[] = [];
  /** Of 2 MiB each, by their first frame; such a frame is never split. */
  private readonly freeLarge: FrameNumber[] = [];
  private readonly large = new Set<FrameNumber>();
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

  /** A huge page of the pool: the one freed last, or a fresh one. */
  allocateLarge(): FrameNumber {
    const freed = this.reuses ? this.freeLarge.pop() : undefined;
    const frame = freed ?? frameNumber(Math.ceil(this.nextFrame / LARGE_FRAMES) * LARGE_FRAMES);
    if (freed === undefined) this.nextFrame = frame + LARGE_FRAMES;
    this.large.add(frame);
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
    (this.large.has(frame) ? this.freeLarge : this.freeFrames).push(frame);
    return true;
  }

  save(): Restore {
    const { nextFrame } = this;
    const counts = [...this.mapCounts];
    const free = saveArray(this.freeFrames);
    const freeLarge = saveArray(this.freeLarge);
    const large = saveSet(this.large);
    return () => {
      this.nextFrame = nextFrame;
      this.mapCounts.clear();
      for (let index = 0; index < counts.length; index++) {
        this.mapCounts.set(counts[index]![0], counts[index]![1]);
      }
      free();
      freeLarge();
      large();
    };
  }

  /** Frames in use, for leak checks. */
  get inUse(): number {
    return this.mapCounts.size;
  }
}
