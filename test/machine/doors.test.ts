// The doors of a machine: what is no core, no page, no line and no number is bad input, and reaches
// neither the wasm nor another core.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameNumber, pageNumber, pageRange } from "../../src/base/address.ts";
import { BadInput } from "../../src/base/bad-input.ts";
import { Machine } from "../../src/machine/machine.ts";
import { PageTables } from "../../src/machine/page-table.ts";
import { type Stream, userStream } from "../../src/machine/stream.ts";
import { MACHINE, machineWith, TLB } from "./describe.ts";
import {
  HOSTILE,
  hostileScene,
  isTyped,
  placesIn,
  replacedIn,
  sceneOf,
  stateOf,
} from "./hostile.ts";

/** What a call answers to such a value. */
function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
  return "accepted";
}

describe("a call that", () => {
  const { machine, tables } = sceneOf(MACHINE);
  const stream = (change: Partial<Stream>): Stream => ({ ...userStream({}), ...change });
  const map = (page: number, frame: number, size: "4K" | "2M" = "4K"): void =>
    tables.map(pageNumber(page), { frame: frameNumber(frame), size });
  const of = (value: unknown): never => value as never;
  const range = (start: number, end: number) => ({
    start: pageNumber(start),
    end: pageNumber(end),
  });

  test.each<[what: string, call: () => unknown, says: string]>([
    ["names no core", () => machine.now(99), "Machine.now(core): 99: a whole number from 0 to 3"],
    ["names seven tenths of a core", () => machine.counters(0.7), "Machine.counters(core): 0.7: "],
    ["names no number for a core", () => machine.iret(Number.NaN), "Machine.iret(core): NaN: "],
    [
      "names core 2^32, which wraps",
      () => machine.fence(2 ** 32),
      "Machine.fence(core): 4294967296",
    ],
    ["forgets the core", () => machine.root(of(undefined)), "Machine.root(core): missing: "],
    [
      "sets the timer to a vector of core 1",
      () => machine.setTimer(0, 17_368, 5),
      "(vector): 17368",
    ],
    [
      "stores to a line of nobody",
      () => machine.lineStore(0, 9),
      "Machine.lineStore(line): 9: a line",
    ],
    ["moves a clock by no number", () => machine.advance(0, Number.NaN), "(cycles): NaN: a number"],
    ["moves a clock back", () => machine.advance(0, -5), "Machine.advance(cycles): -5: a number"],
    [
      "loads a PCID of 13 bits",
      () => machine.writeCr3(0, { root: tables.root, pcid: 5000, keep: false }),
      "Machine.writeCr3(cr3).pcid: 5000: a whole number from 0 to 4095",
    ],
    [
      "loads no number as a root",
      () => machine.writeCr3(0, { root: of(Number.NaN), pcid: 0, keep: false }),
      "Machine.writeCr3(cr3).root: NaN: ",
    ],
    [
      "misspells a flag",
      () => tables.map(pageNumber(1), of({ frame: 1, writeable: true })),
      'PageTables.map(mapping): "writeable": did you mean writable?',
    ],
    ["maps no page", () => map(Number.NaN, 1), "PageTables.map(page): NaN: "],
    ["maps half a page", () => map(1.5, 1), "PageTables.map(page): 1.5: "],
    ["maps a page without an address", () => map(2 ** 40, 1), "a page with a canonical address"],
    [
      "maps a page beyond all",
      () => map(2 ** 60, 1),
      "PageTables.map(page): 1152921504606847000: ",
    ],
    ["maps to frame -3", () => map(1, -3), "PageTables.map(mapping).frame: -3: "],
    ["maps 3K", () => map(1, 1, of("3K")), 'PageTables.map(mapping).size: "3K": did you mean 4K?'],
    ["maps 2M to any frame", () => map(512, 7, "2M"), "(mapping).frame: 7: a multiple of 512"],
    [
      "goes through both halves",
      () => tables.presentPages(range(0, 2 ** 52)),
      "PageTables.presentPages(range): ",
    ],
    ["gives an end before the start", () => tables.presentPages(range(5, 4)), "(range).end: 4: "],
    [
      "accesses 4096 bytes",
      () => machine.access(0, { address: 0n, kind: "read", user: true, bytes: 4096 }),
      "Machine.access(access).bytes: 4096: a whole number from 1 to 15",
    ],
    [
      "accesses in no known way",
      () => machine.access(0, { address: 0n, kind: of("nope"), user: true }),
      'Machine.access(access).kind: "nope": one of read, write, execute',
    ],
    [
      "accesses 2^70",
      () => machine.access(0, { address: 2n ** 70n, kind: "read", user: true }),
      "Machine.access(access).address: 1180591620717411303424: a bigint from 0n to ",
    ],
    ["runs no elements", () => machine.runStream(0, stream({ elements: 0 }), 9), ".elements: 0: "],
    [
      "runs from behind the elements",
      () => machine.runStream(0, stream({ position: 1 }), 9),
      "Machine.runStream(stream).position: 1: a whole number from 0 to 0",
    ],
    [
      "runs a list that is none",
      () => machine.runStream(0, stream({ order: "list" }), 9),
      "Machine.runStream(stream).pages: missing: a page for each element: 1 of them",
    ],
    [
      "asks for INVLPGB where there is none",
      () => machine.broadcasts.issue(0, { extent: "all" }),
      'Machine.broadcasts: "no INVLPGB": ',
    ],
    [
      "invalidates more pages than can be gone through",
      () => machine.remote.invalidate(1, { extent: "pagesOfAll", range: range(0, 2 ** 35) }),
      "Machine.remote.invalidate(what).range: ",
    ],
    [
      "makes tables without memory",
      () => new PageTables(of(null), () => frameNumber(1)),
      "(machine)",
    ],
    [
      "gets frames that are none",
      () => new PageTables(machine, () => frameNumber(0.5)),
      "PageTables(allocateFrame) gives: 0.5: ",
    ],
  ])("%s is bad input", (_what, call, says) => {
    expect(messageOf(call)).toContain(says);
  });

  test("stands in the way of a larger page, or below one, is bad input", () => {
    map(0, 1);
    expect(messageOf(() => map(0, 512, "2M"))).toContain("a page without a table of smaller pages");
    map(512, 512, "2M");
    expect(messageOf(() => map(513, 1))).toContain("a page that no larger page covers");
  });

  test("frees a line twice is bad input, and the line is handed out once", () => {
    const line = machine.allocateLine(0);
    machine.freeLine(line);
    expect(messageOf(() => machine.freeLine(line))).toContain("Machine.freeLine(line)");
    expect(messageOf(() => machine.lineLoad(0, line))).toContain("Machine.lineLoad(line)");
    expect(machine.allocateLine(0)).not.toBe(machine.allocateLine(0));
  });

  test("brings back the state of another machine is bad input", () => {
    const other = new Machine(MACHINE).snapshot();
    expect(messageOf(() => machine.restore(other))).toContain("a snapshot of this machine");
    expect(messageOf(() => machine.restore(machine.snapshot()))).toBe("accepted");
  });

  test("sets CR4.PCIDE where there are no PCIDs is bad input", () => {
    const without = new Machine(machineWith({ paging: { ...MACHINE.paging, pcid: false } }));
    const on = { globalPages: false, pcid: true };
    expect(messageOf(() => without.writeCr4(0, on))).toContain("this CPU has no PCIDs");
    expect(messageOf(() => machine.writeCr4(0, on))).toBe("accepted");
  });
});

test("a whole half of the address space is gone through at once", () => {
  const { machine, tables } = sceneOf(MACHINE);
  const last = 2 ** 52 - 1;
  for (const page of [0, 2 ** 35 - 1, 2 ** 52 - 2 ** 35, last]) {
    tables.map(pageNumber(page), { frame: frameNumber(7) });
  }
  expect(tables.presentPages(pageRange(pageNumber(0), 2 ** 35))).toEqual([0, 2 ** 35 - 1]);
  const upper = pageRange(pageNumber(2 ** 52 - 2 ** 35), 2 ** 35);
  expect(tables.presentPages(upper)).toEqual([2 ** 52 - 2 ** 35, last]);
  expect(machine.translate(tables.root, pageNumber(last))).not.toBe(0n);
});

describe("a description", () => {
  const { topology, structureCaches, l2, llc } = MACHINE;
  test.each<[what: string, change: object, says: string]>([
    [
      "no cores in an LLC",
      { topology: { ...topology, coresPerLlc: 0 } },
      "topology.coresPerLlc: 0: ",
    ],
    ["a cache without ways", { l2: { ...l2, ways: 0 } }, "l2.ways: 0: a whole number from 1 to 32"],
    [
      "a structure cache of a thousand million",
      { structureCaches: { ...structureCaches, pde: 1e9 } },
      "structureCaches.pde: 1000000000: ",
    ],
    ["no name for an option", { tlbs: TLB }, 'description: "tlbs": did you mean tlb?'],
    [
      "no number of cycles",
      { ipiDeliveryCycles: { sameLlc: -1 } },
      "ipiDeliveryCycles.sameLlc: -1: ",
    ],
    [
      "a wrong vendor",
      { paging: { ...MACHINE.paging, vendor: "via" } },
      'paging.vendor: "via": did',
    ],
    [
      "more than the memory holds",
      { topology: { ...topology, coreCount: 1024 }, l2: { ...l2, sizeBytes: 2 ** 30 } },
      "topology.coreCount: 1024: fewer cores, or smaller caches",
    ],
    [
      "directories beyond the memory",
      { topology: { ...topology, coreCount: 1024 }, llc: { ...llc, sizeBytes: 2 ** 30, ways: 1 } },
      "topology.coreCount: 1024: fewer cores, or smaller caches",
    ],
  ])("with %s is bad input", (_what, change, says) => {
    expect(messageOf(() => new Machine({ ...MACHINE, ...change }))).toContain(says);
  });

  test.each([null, undefined, 5, "skylake-sp", []])("that is %j is bad input", (value) => {
    expect(messageOf(() => new Machine(value as never))).toContain("description: ");
  });
});

describe("every parameter of every function", () => {
  const scene = hostileScene();
  const { machine } = scene;

  test("is tried", () => {
    expect(scene.calls.map(({ name }) => name).toSorted()).toEqual(scene.functions.toSorted());
  });

  test.each(scene.calls.map((call) => [call.name, call] as const))(
    "%s refuses what has another type, and no number at all",
    (_name, call) => {
      const before = stateOf(machine, 1);
      for (const place of placesIn(call)) {
        for (const value of HOSTILE) {
          const answer = messageOf(() => call.make(replacedIn(call, [{ place, value }])));
          if (!isTyped(call, place, value)) {
            expect(answer, `${place.join(".")}: ${String(value)}`).not.toBe("accepted");
          }
        }
      }
      expect(stateOf(machine, 1)).toEqual(before);
    },
  );

  test("several at once reach neither the wasm nor another core", () => {
    const before = stateOf(machine, 1);
    const anyCall = fc.constantFrom(...scene.calls.filter((call) => placesIn(call).length > 0));
    const changes = anyCall.chain((call) => {
      const place = fc.constantFrom(...placesIn(call));
      const change = fc.record({ place, value: fc.constantFrom(...HOSTILE) });
      return fc.tuple(fc.constant(call), fc.array(change, { minLength: 1, maxLength: 3 }));
    });
    fc.assert(
      fc.property(changes, ([call, changed]) => {
        messageOf(() => call.make(replacedIn(call, changed)));
        expect(stateOf(machine, 1)).toEqual(before);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
