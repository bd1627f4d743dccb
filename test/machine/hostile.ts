// A call of each function of a machine and of page tables, right as it stands, and values to put in
// place of any number in it.

import { frameNumber } from "../../src/base/address.ts";
import type { MachineDescription } from "../../src/machine/description.ts";
import { Machine } from "../../src/machine/machine.ts";
import { PageTables } from "../../src/machine/page-table.ts";
import { userStream } from "../../src/machine/stream.ts";
import { machineWith } from "./describe.ts";

const NUMBERS = [Number.NaN, Infinity, -1, 0.5, 2 ** 53, 2 ** 32, -(2 ** 31)];
const OTHERS = ["1", null, undefined, {}, [], 1n, -1n, 2n ** 64n, Symbol("one"), () => 1];

export const HOSTILE: readonly unknown[] = [...NUMBERS, ...OTHERS];

interface Scene {
  readonly machine: Machine;
  readonly tables: PageTables;
}

export function sceneOf(description: MachineDescription): Scene {
  const machine = new Machine(description);
  let next = 256;
  const tables = new PageTables(machine, () => frameNumber(next++));
  machine.writeCr3(0, { root: tables.root, pcid: 0, keep: false });
  return { machine, tables };
}

/** All that can be asked about a core, except for what it has cached. */
export const stateOf = (machine: Machine, core: number) => ({
  clock: machine.now(core),
  counters: machine.counters(core),
  registers: machine.registers(core),
  pcid: machine.pcid(core),
  nextInterrupt: machine.nextInterrupt(core),
  interruptFlag: machine.interruptFlag(core),
  fault: machine.fault(core),
});

/** Where in the arguments of a call something stands. */
type Place = readonly (string | number)[];

interface Call {
  readonly name: string;
  readonly given: readonly unknown[];
  /** Arguments that need not be given. */
  readonly optional: readonly string[];
  make(given: readonly unknown[]): unknown;
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Every argument, and every number that is inside of one. */
export function placesIn({ given }: Call): readonly Place[] {
  const inside = (value: unknown, place: Place): readonly Place[] => {
    if (typeof value === "number" || typeof value === "bigint") return [place];
    if (!isPlain(value) && !Array.isArray(value)) return [];
    return Object.entries(value).flatMap(([key, one]) => inside(one, [...place, key]));
  };
  return given.flatMap((value, index) => {
    const places = inside(value, [index]).filter((place) => place.length > 1);
    return [[index], ...places];
  });
}

function at(value: unknown, [key, ...rest]: Place): unknown {
  if (key === undefined) return value;
  return at((value as Readonly<Record<string, unknown>>)[key], rest);
}

/** Whether the types allow such a value there; NaN is of no use anywhere. */
export function isTyped(call: Call, place: Place, value: unknown): boolean {
  if (value === undefined && call.optional.includes(place.join("."))) return true;
  return typeof at(call.given, place) === typeof value && !Number.isNaN(value);
}

/** The arguments with other values in places of them. */
export function replacedIn(
  { given }: Call,
  changes: readonly { readonly place: Place; readonly value: unknown }[],
): readonly unknown[] {
  const copy = (value: unknown, place: Place): unknown => {
    const change = changes.find((one) => one.place.join(".") === place.join("."));
    if (change !== undefined) return change.value;
    if (Array.isArray(value)) return value.map((one, index) => copy(one, [...place, index]));
    if (!isPlain(value)) return value;
    const entries = Object.entries(value).map(([key, one]) => [key, copy(one, [...place, key])]);
    return Object.fromEntries(entries) as unknown;
  };
  return given.map((value, index) => copy(value, [index]));
}

type Examples = Readonly<Record<string, readonly unknown[]>>;

const PAGES = { start: 600, end: 602 };
const RANGE = { extent: "pages", pcid: 0, range: PAGES };

const coreExamples = (machine: Machine, line: number): Examples => ({
  ...Object.fromEntries(
    ["now", "fence", "socketOf", "writeIcr", "nextInterrupt", "acceptInterrupt", "endOfInterrupt"]
      .concat([
        "iret",
        "powerDown",
        "pcid",
        "holdsCondemned",
        "root",
        "registers",
        "fault",
        "stale",
      ])
      .concat(["interruptFlag", "counters"])
      .map((name) => [name, [0]]),
  ),
  advance: [0, 5],
  advanceTo: [0, 5],
  allocateLine: [0],
  freeLine: [machine.allocateLine(0)],
  lineLoad: [0, line],
  lineStore: [0, line],
  lineLocked: [0, line],
  deliverIpi: [0, 0, 64],
  sendIpi: [0, 0, 64],
  setTimer: [0, 64, 1000],
  setInterruptFlag: [0, false],
  resetCounters: [],
  distance: [0, 0],
  snapshot: [],
  restore: [machine.snapshot()],
  lastWalk: [0],
  runStream: [0, userStream({ pages: [600, 601] as never }), 1000],
  access: [0, { address: 0x25_8000n, kind: "read", user: true, bytes: 4 }],
  writeCr3: [0, { root: 256, pcid: 0, keep: false }],
  writeCr4: [0, { globalPages: true, pcid: false }],
  writeRegister: [0, "pkru", 0n],
  setRegisters: [0, { pkru: 0n }],
  invlpg: [0, 600],
  invlpgAddress: [0, 0x1000n],
  invpcid: [0, 0n, { pcid: 0n, address: 0n }],
});

const memoryExamples: Examples = {
  read64: [0x10_0000n],
  write64: [0x900_0000n, 1n],
  readEntry: [256, 3],
  writeEntry: [0x9000, 3, 1n],
  releaseFrame: [0x9001],
  touch: [0, 0x10_0000n],
  translate: [256, 600],
  findTable: [256, 600, 1],
  nextLeaf: [256, 600, 602],
  nextPresent: [256, 0],
  tableBelow: [256, 0, 4],
  condemnRange: [0, 256, 256, 600, 602],
  condemnShared: [0, 256, 600, 602],
  reachesTable: [0, 256],
  condemnTable: [0, 0x9000],
};

const broadcastExamples: Examples = { issue: [0, RANGE], complete: [0] };

const remoteExamples: Examples = {
  request: [0, { what: { ...RANGE, pcid: 9 }, route: "directory", freedTables: false }],
  invalidate: [0, RANGE],
  holdsPage: [0, 0, 600],
  deliveryCycles: [0, 0],
};

const tableExamples: Examples = {
  map: [600, { frame: 7, size: "4K", user: true }],
  entryAt: [600],
  setEntry: [601, 0n, "4K"],
  makeTables: [600, 1],
  shareTop: [{ root: 0x9000 }, 2 ** 34],
  addressOfEntry: [600],
  presentPages: [PAGES],
  tablesOf: [PAGES, "4K"],
  detach: [PAGES, () => false],
  detachIfEmpty: [{ start: 1024, end: 1536 }],
};

const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  "Machine.lastWalk": ["0"],
  "Machine.access": ["1.bytes"],
  "Machine.setRegisters": ["1.pkru"],
  "PageTables.setEntry": ["2"],
  "PageTables.makeTables": ["1"],
};

/** A machine that has everything, and a right call of each of its functions. */
export function hostileScene() {
  const broadcast = { pages: 8, issueCycles: 10, completionCycles: 100 };
  const { machine, tables } = sceneOf(machineWith({ broadcast }));
  const examples = { ...coreExamples(machine, machine.allocateLine(0)), ...memoryExamples };
  const targets: readonly (readonly [name: string, target: object, examples: Examples])[] = [
    ["Machine", machine, examples],
    ["Machine.broadcasts", machine.broadcasts, broadcastExamples],
    ["Machine.remote", machine.remote, remoteExamples],
    ["PageTables", tables, tableExamples],
  ];
  const calls = targets.flatMap(([name, target, of]) =>
    Object.entries(of).map(([method, given]): Call => {
      const make = (other: readonly unknown[]): unknown =>
        (target as Readonly<Record<string, (...all: readonly unknown[]) => unknown>>)[method]!(
          ...other,
        );
      const path = `${name}.${method}`;
      return { name: path, given, optional: OPTIONAL[path] ?? [], make };
    }),
  );
  // The doors stand in the object itself; so does one function that is nobody else's.
  const functions = targets.flatMap(([name, target]) =>
    Object.entries(target)
      .filter(([key, value]) => typeof value === "function" && key !== "allocateFrame")
      .map(([key]) => `${name}.${key}`),
  );
  return { machine, calls, functions };
}
