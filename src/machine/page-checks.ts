// Pages that page tables map: those whose addresses are canonical, in either half of the space.

import { BadInput } from "../base/bad-input.ts";
import { type Check, fields, integer } from "../base/input.ts";

const PAGES = 2 ** 52;

export const anyPage: Check = integer(0, PAGES - 1);
export const pageOrEnd: Check = integer(0, PAGES);

interface Pages {
  readonly start: number;
  readonly end: number;
}

const pages: Check = fields({ start: pageOrEnd, end: pageOrEnd });

/** Refuses an end that is before the start. */
export function inOrder(path: string, { start, end }: Pages): void {
  if (start > end) throw new BadInput(path, end, `a page from the start, ${start}, on`);
}

/** How many they are depends on the levels of the tables. */
export class PageChecks {
  constructor(private readonly machine: { readonly levels: number }) {}

  readonly page: Check = (path, value) => {
    anyPage(path, value);
    const [low, high] = this.halves(path);
    if ((value as number) < low || (value as number) >= high) return;
    throw new BadInput(path, value, `a page with a canonical address: ${remedy(low, high)}`);
  };

  /** Of one half: from one to the other there are more pages than can be gone through. */
  readonly range: Check = (path, value) => {
    pages(path, value);
    const { start, end } = value as Pages;
    inOrder(`${path}.end`, { start, end });
    const [low, high] = this.halves(path);
    if (end <= low || start >= high) return;
    throw new BadInput(path, value, `pages of one half: ${remedy(low, high)}`);
  };

  /** Where the lower half ends and the upper one begins. */
  private halves(path: string): readonly [low: number, high: number] {
    const { levels } = this.machine;
    if (levels < 4) throw new BadInput(path, `${levels} levels`, "core 0 in 64-bit mode: 4 or 5");
    const half = 512 ** levels / 2;
    return [half, PAGES - half];
  }
}

const remedy = (low: number, high: number): string =>
  `below 0x${low.toString(16)}, or from 0x${high.toString(16)} on`;
