// flush_tlb_range says that page tables are freed since Linux 6.15: who has the mm lazily is
// interrupted by mremap, and by mprotect of large pages.

import { describe, expect, test } from "vitest";
import { pageAfter, type PageRange, pagesIn } from "../../../src/base/address.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { mremap } from "../../../src/kernel/memory/mremap.ts";
import type { ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import { type Borrowed, interruptsOf } from "./lazy-borrower.ts";

const READ_ONLY = { writable: false, executable: false };

const protect: Borrowed["act"] = (cpu, mm, range) => mprotect(cpu, mm, range, READ_ONLY);

const behind = (range: PageRange): PageRange => ({
  start: range.end,
  end: pageAfter(range.end, pagesIn(range)),
});

// Tables of the old place that serve nothing any more would go too: its table stays in use.
const moveHalf: Borrowed["act"] = (cpu, mm, { start, end }) => {
  const half = { start: pageAfter(start, pagesIn({ start, end }) / 2), end };
  return mremap(cpu, mm, half, behind(half));
};

const BEFORE: readonly ProtocolName[] = ["linux-4.20", "linux-5.13", "kvm-pv"];
const SINCE: readonly ProtocolName[] = ["linux-6.18", "kvm-pv-6.18"];

describe("a lazy CPU is interrupted", () => {
  test("by mremap since Linux 6.15", () => {
    const move = (protocol: ProtocolName) => interruptsOf({ protocol, pages: 4, act: moveHalf });
    expect(BEFORE.map(move)).toEqual([0, 0, 0]);
    expect(SINCE.map(move)).toEqual([1, 1]);
  });

  test("by mprotect of 2M pages since Linux 6.15, and of 4K pages never", () => {
    const ofLarge = (protocol: ProtocolName) =>
      interruptsOf({ protocol, pages: 1024, pageSize: "2M", act: protect });
    const ofSmall = (protocol: ProtocolName) => interruptsOf({ protocol, pages: 4, act: protect });
    expect(BEFORE.map(ofLarge)).toEqual([0, 0, 0]);
    expect(SINCE.map(ofLarge)).toEqual([1, 1]);
    expect([...BEFORE, ...SINCE].map(ofSmall)).toEqual([0, 0, 0, 0, 0]);
  });
});
