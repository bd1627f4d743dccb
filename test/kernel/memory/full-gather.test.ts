// An mmu_gather takes some 9 700 pages: whoever unmaps more flushes and frees in between.

import { describe, expect, test } from "vitest";
import { type PageRange, pagesIn } from "../../../src/base/address.ts";
import type { PageSize } from "../../../src/machine/description.ts";
import { pagesPer } from "../../../src/machine/page-table.ts";
import { userStream } from "../../../src/machine/stream.ts";
import { freeAddressSpace } from "../../../src/kernel/memory/exit-mmap.ts";
import { madviseDontNeed } from "../../../src/kernel/memory/madvise.ts";
import { mmap, munmap } from "../../../src/kernel/memory/mmap.ts";
import { type KernelCode, locked, runUser } from "../../../src/kernel/operation/operation.ts";
import { protocols, type ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { play, runOn, type Script } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

type Act = (cpu: Cpu, mm: Mm, range: PageRange) => KernelCode;

interface Many {
  readonly pages: number;
  readonly protocol?: ProtocolName;
  readonly pageSize?: PageSize;
}

/** One CPU in an mm where `pages` pages are present. */
function withMany({ pages, protocol = "linux-5.13", pageSize = "4K" }: Many, act: Act): Outcome {
  const each = pagesPer(pageSize);
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm", 8);
    yield* runOn(cpu, mm);
    const range = yield* mmap(cpu, mm, { pageCount: pages * each, pageSize });
    const pageBytes = { strideBytes: each * 4096, stagger: false };
    yield* runUser(userStream({ base: range.start, elements: pages, kind: "write", ...pageBytes }));
    yield* act(cpu, mm, range);
  };
  const outcome = play({ protocol: protocols[protocol] }, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

const sizes = (outcome: Outcome): number[] =>
  eventsOf(outcome, "flushBegin").map(({ range }) => pagesIn(range));

const unmap: Act = (cpu, mm, range) => munmap(cpu, mm, range);

describe("of 20 000 pages", () => {
  test("madvise makes three flushes, of what was unmapped since the last", () => {
    const outcome = withMany({ pages: 20_000 }, madviseDontNeed);
    expect(sizes(outcome)).toEqual([9698, 9698, 604]);
  });

  test("munmap makes three, the last with the tables of all", () => {
    const outcome = withMany({ pages: 20_000 }, unmap);
    expect(sizes(outcome)).toEqual([9698, 9698, 20_000]);
    const freed = outcome.events.map(({ kind }) => kind).filter((kind) => kind.endsWith("Freed"));
    expect(freed.slice(0, 4)).toEqual(["pagesFreed", "pagesFreed", "pagesFreed", "tableFreed"]);
  });

  test("exit makes three, each of everything", () => {
    const outcome = withMany({ pages: 20_000 }, function* (cpu, mm) {
      yield* locked(mm.mmUsers, () => 0);
      yield* freeAddressSpace(cpu, mm);
    });
    expect(sizes(outcome)).toEqual(Array(3).fill(2 ** 35));
  });
});

test("what was flushed is free before more is unmapped", () => {
  const left: number[] = [];
  withMany({ pages: 10_000 }, function* (cpu, mm, range) {
    const { kernel } = cpu;
    const { flushRange } = kernel.protocol;
    const before = kernel.frames.inUse;
    const watched: typeof kernel.protocol = {
      ...kernel.protocol,
      *flushRange(...request) {
        left.push(before - kernel.frames.inUse);
        return yield* flushRange(...request);
      },
    };
    Object.assign(kernel, { protocol: watched });
    yield* madviseDontNeed(cpu, mm, range);
  });
  expect(left).toEqual([0, 9698]);
});

test("since Linux 6.9 each batch takes one page less", () => {
  const flushes = (protocol: ProtocolName, pages: number) =>
    sizes(withMany({ protocol, pages }, madviseDontNeed));
  expect(flushes("linux-5.13", 9679)).toEqual([9679]);
  expect(flushes("linux-6.18", 9679)).toEqual([9678, 1]);
});

test("a page of 2 MiB counts as one", () => {
  const outcome = withMany({ pages: 9700, pageSize: "2M" }, madviseDontNeed);
  expect(sizes(outcome)).toEqual([9698 * 512, 2 * 512]);
});
