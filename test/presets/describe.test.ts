import { expect, test } from "vitest";
import { describeMachine } from "../../src/presets/describe.ts";
import { presetListing } from "../../src/presets/listing.ts";
import { presets } from "../../src/presets/presets.ts";

const { rome } = presets;
const skylake = presets["skylake-sp"];

test("the topology is the preset's own unless it is given", () => {
  expect(describeMachine(rome, { cores: 192 }).topology).toEqual({
    coreCount: 192,
    coresPerLlc: 4,
    llcsPerSocket: 16,
    oneHopSockets: 1,
  });
  expect(
    describeMachine(rome, { cores: 8, coresPerLlc: 2, llcsPerSocket: 2 }).topology,
  ).toMatchObject({
    coresPerLlc: 2,
    llcsPerSocket: 2,
  });
});

test("more cores than any system sold are accepted up to 1024", () => {
  expect(describeMachine(skylake, { cores: 1024 }).topology.coreCount).toBe(1024);
});

test.each([0, -1, 1.5, 1025, Number.NaN])("%s cores are refused", (cores) => {
  expect(() => describeMachine(rome, { cores })).toThrow(
    /^cores: .*: a whole number from 1 to 1024$/,
  );
});

test("a topology of no cores per LLC is refused by its name", () => {
  expect(() => describeMachine(rome, { cores: 4, coresPerLlc: 0 })).toThrow(/^coresPerLlc: 0: /);
});

test("a polling core leaves its loop sooner than C1 is left, by MWAIT and HLT alike", () => {
  const exitOf = (idle: "poll" | "mwait" | "halt") =>
    describeMachine(skylake, { cores: 1, idle }).instruction.idleExit;
  expect(exitOf("poll")).toBeLessThan(exitOf("mwait"));
  expect(exitOf("halt")).toBe(exitOf("mwait"));
  expect(describeMachine(skylake, { cores: 1 }).instruction.idleExit).toBe(exitOf("mwait"));
});

test("C6 takes longer to leave than C1, and is refused where it has no figure", () => {
  const exitOf = (idle: "mwait" | "c6") =>
    describeMachine(skylake, { cores: 1, idle }).instruction.idleExit;
  expect(exitOf("c6")).toBeGreaterThan(10 * exitOf("mwait"));
  expect(() => describeMachine(rome, { cores: 1, idle: "c6" })).toThrow(
    /^idle: "c6": rome has no figure/,
  );
});

test("nanoseconds become cycles by the frequency that the preset states", () => {
  expect(describeMachine(skylake, { cores: 1 }).dramCycles.local).toBe(200);
});

test("the listing keeps the published unit and tells TLB arrays apart by page size", () => {
  const listing = presetListing(skylake);
  expect(listing).toContainEqual(
    expect.objectContaining({ key: "memory.local", value: 80, unit: "ns", estimate: false }),
  );
  const entries = listing.find(({ key }) => key === "tlb.secondLevelData[4K,2M].entries");
  expect(entries?.value).toBe(1536);
  expect(new Set(listing.map(({ key }) => key)).size).toBe(listing.length);
});
