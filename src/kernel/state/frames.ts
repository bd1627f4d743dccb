// The page allocator: frames by number, and how many address spaces map each (struct page's
// mapcount).

import { assert } from "../../base/assert.ts";
import { type FrameNumber, frameNumber } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { pagesPer } from "../../machine/page-table.ts";
import { type Restore, saveArray, saveSet } from "../../base/restore.ts";

/** Frames below this are left to firmware and the kernel's image. */
const FIRST_FRAME = 0x100;

/**
 * Where pages of 1 GiB begin, 256 GiB: they are set aside at boot in Linux, too (gigantic pages).
 * Frames of other sizes stay below.
 */
export const FIRST_GIGANTIC = 2 ** 26;

type LargePage = Exclude<PageSize, "4K">;

export class FrameAllocator {
  private nextFrame = FIRST_FRAME;
  private readonly freeFrames: FrameNumber[] = [];
  private nextGigantic = FIRST_GIGANTIC;
  /** Large pages by their first frame; none is ever split. */
  private readonly freeLarge: Readonly<Record<LargePage, FrameNumber[]>> = { "2M": [], "1G": [] };
  private readonly huge = new Set<FrameNumber>();
  private readonly gigantic = new Set<FrameNumber>();
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
  allocateLarge(size: LargePage = "2M"): FrameNumber {
    const freed = this.reuses ? this.freeLarge[size].pop() : undefined;
    const frame = freed ?? (size === "2M" ? this.freshHuge() : this.freshGigantic());
    (size === "2M" ? this.huge : this.gigantic).add(frame);
    this.mapCounts.set(frame, 1);
    return frame;
  }

  private freshHuge(): FrameNumber {
    const frames = pagesPer("2M");
    const frame = frameNumber(Math.ceil(this.nextFrame / frames) * frames);
    this.nextFrame = frame + frames;
    return frame;
  }

  private freshGigantic(): FrameNumber {
    assert(this.nextFrame <= FIRST_GIGANTIC, "small frames leave room for pages of 1 GiB");
    const frame = frameNumber(this.nextGigantic);
    this.nextGigantic += pagesPer("1G");
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
    this.freeListOf(frame).push(frame);
    return true;
  }

  private freeListOf(frame: FrameNumber): FrameNumber[] {
    if (this.huge.has(frame)) return this.freeLarge["2M"];
    return this.gigantic.has(frame) ? this.freeLarge["1G"] : this.freeFrames;
  }

  save(): Restore {
    const { nextFrame, nextGigantic } = this;
    const counts = [...this.mapCounts];
    const free = saveArray(this.freeFrames);
    const freeLarge = Object.values(this.freeLarge).map(saveArray);
    const large = [this.huge, this.gigantic].map(saveSet);
    return () => {
      this.nextFrame = nextFrame;
      this.nextGigantic = nextGigantic;
      this.mapCounts.clear();
      for (let index = 0; index < counts.length; index++) {
        this.mapCounts.set(counts[index]![0], counts[index]![1]);
      }
      free();
      for (const restore of freeLarge) restore();
      for (const restore of large) restore();
    };
  }

  /** Frames in use, for leak checks. */
  get inUse(): number {
    return this.mapCounts.size;
  }
}
