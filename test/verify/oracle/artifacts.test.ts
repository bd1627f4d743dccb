import { describe, expect, test } from "vitest";
import { judgeAnswer } from "../../../src/verify/oracle/answer.ts";
import { EXCLUSIONS, exclusionOf, NORMALISATIONS } from "../../../src/verify/oracle/artifacts.ts";
import { looseBits } from "../../../src/verify/oracle/loose.ts";
import { marker } from "../../../src/verify/vectors/marker.ts";
import { ORACLES, type OracleName } from "../../../src/verify/oracle/oracles.ts";
import type {
  DataOperation,
  Outcome,
  VectorCase,
  VectorOperation,
} from "../../../src/verify/vectors/vector.ts";

const PT = 0x10_3000n;

/** A 4-level case that maps its addresses' pages at the start of a table to frames from 4 MiB. */
const aCase = (operations: readonly VectorOperation[], changes: Partial<VectorCase> = {}) => ({
  id: "a",
  category: "test",
  mode: "l4" as const,
  vendor: "intel" as const,
  physicalAddressBits: 40,
  gigabytePages: true,
  cr0: 0x8001_0033n,
  cr3: 0x10_0000n,
  cr4: 0x20n,
  efer: 0xd00n,
  pkru: 0n,
  entries: [
    { address: 0x10_0000n, value: 0x10_1007n },
    { address: 0x10_1000n, value: 0x10_2007n },
    { address: 0x10_2000n, value: 0x10_3007n },
    { address: PT, value: 0x40_0007n },
    { address: PT + 8n, value: 0x40_1007n },
  ],
  operations,
  ...changes,
});

const access = (changes: Partial<DataOperation>): DataOperation => ({
  kind: "read",
  address: 0n,
  bytes: 8,
  user: false,
  alignmentCheck: false,
  stack: false,
  value: 0n,
  ...changes,
});

const pageFault = (errorCode: number, address = 0n): Outcome => ({
  fault: { vector: 14, errorCode, address },
});

const excludedAs = (
  oracle: OracleName,
  the: VectorCase,
  outcomes: readonly Outcome[] = the.operations.map(() => ({})),
  partial: readonly number[] = [],
): string | undefined =>
  exclusionOf(oracle, {
    the,
    result: { outcomes, finalEntries: [] },
    partialStores: new Set(partial),
  })?.name;

const pae = (pdpte: bigint, operations: readonly VectorOperation[] = []): VectorCase =>
  aCase(operations, {
    mode: "pae",
    cr3: 0x10_0020n,
    entries: [{ address: 0x10_0020n, value: pdpte }],
  });

describe("left out by name is", () => {
  const clearNxe: VectorOperation = { kind: "efer", value: 0x500n };
  const unbacked = [...aCase([]).entries.slice(0, 3), { address: PT, value: (1n << 38n) | 0x5n }];
  const noWriteProtect = { cr0: 0x8000_0033n, entries: unbacked };
  test.each<[string, OracleName, VectorCase]>([
    ["K1", "kvm", aCase([access({ address: 0xffff_8000_0000_0000n, user: true })])],
    ["K3", "kvm", aCase([clearNxe, access({ user: true })])],
    ["K7", "kvm", aCase([access({ kind: "execute", address: 0xff8n })])],
    ["K8", "kvm", aCase([access({}), access({ kind: "write" })], noWriteProtect)],
    ["T2", "tcg", aCase([access({ address: 1n << 60n, stack: true })])],
    ["T3", "tcg", pae(0x10_1003n)],
    ["T3", "tcg", pae(0x10_1001n, [{ kind: "entry", address: 0x10_0028n, value: 0n }])],
    ["T5", "tcg", aCase([{ kind: "cr3", value: 1n << 45n }])],
    ["straddles-canonical-hole", "tcg", aCase([access({ address: 0x7fff_ffff_fffcn })])],
    ["straddles-canonical-hole", "kvm", aCase([access({ address: 0xffff_7fff_ffff_fffcn })])],
    [
      "H1",
      "kvm",
      aCase([
        access({ kind: "write", address: 0xfffn, bytes: 2, value: marker(0x40_1000n) << 8n }),
      ]),
    ],
  ])("%s on %s", (name, oracle, the) => {
    expect(excludedAs(oracle, the)).toBe(name);
  });

  test("K6, a store that faulted after it wrote", () => {
    const the = aCase([access({ kind: "write", address: 0x1ffcn })]);
    expect(excludedAs("kvm", the, [pageFault(2, 0x2000n)], [0])).toBe("K6");
    expect(excludedAs("kvm", the, [pageFault(2, 0x2000n)])).toBeUndefined();
  });

  test("nothing that shows no sign", () => {
    const kinds = ["read", "write", "add", "execute"] as const;
    const the = aCase(kinds.map((kind) => access({ kind, user: true, value: 1n })));
    expect(excludedAs("kvm", the)).toBeUndefined();
    expect(excludedAs("tcg", the)).toBeUndefined();
    expect(excludedAs("tcg", pae(0x10_1e19n))).toBeUndefined();
    expect(excludedAs("kvm", aCase([clearNxe, access({})]))).toBeUndefined();
  });

  test("an artifact of one oracle on that oracle only", () => {
    const host = aCase([access({ address: 0xffff_8000_0000_0000n, user: true })]);
    expect(excludedAs("tcg", host)).toBeUndefined();
    const stack = aCase([access({ address: 1n << 60n, stack: true })]);
    expect(excludedAs("kvm", stack)).toBeUndefined();
  });

  test("said why, each under a name of its own", () => {
    const all = [...EXCLUSIONS, ...NORMALISATIONS];
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { why } of all) expect(why).not.toBe("");
  });
});

describe("an answer of TCG is put right", () => {
  const judge = (the: VectorCase, answer: object) =>
    judgeAnswer(ORACLES.tcg, the, JSON.stringify({ id: the.id, ...answer }));

  test("T1: a fault for a reserved bit was by a present entry", () => {
    const the = aCase([access({ user: true })], { entries: [] });
    const { vector, putRight } = judge(the, {
      res: [{ vec: 14, ec: "0xc", cr2: "0x0" }],
      mem: [],
    });
    expect(putRight).toEqual(["T1"]);
    expect(vector).toMatchObject({ expected: { outcomes: [pageFault(0xd)] } });
  });

  test("T6: PDPTEs of PAE have no A", () => {
    const { vector, putRight } = judge(pae(0x10_1001n), {
      res: [],
      mem: [["0x100020", "0x101021"]],
    });
    expect(putRight).toEqual(["T6"]);
    const finalEntries = [{ address: 0x10_0020n, value: 0x10_1001n }];
    expect(vector).toMatchObject({ expected: { finalEntries } });
  });

  test("and an answer that is right stays as it is", () => {
    const the = aCase([access({})], { entries: [] });
    const { vector, putRight } = judge(the, { res: [{ vec: 14, ec: "0x0", cr2: "0x0" }], mem: [] });
    expect(putRight).toEqual([]);
    expect(vector).toMatchObject({ expected: { outcomes: [pageFault(0)] } });
  });

  test("an operation that it gave up is counted with its words", () => {
    const { vector } = judge(aCase([access({})]), { res: [{ fail: "hang" }], mem: [] });
    expect(vector).toMatchObject({ skipReason: "fail: hang" });
  });

  test("an answer to another case is refused", () => {
    expect(() => judgeAnswer(ORACLES.tcg, aCase([]), '{"id":"b"}')).toThrow(/answered b/);
  });
});

describe("open bits", () => {
  const openIn = (
    the: VectorCase,
    outcomes: readonly Outcome[],
    oracle: OracleName = "tcg",
  ): Readonly<Record<string, bigint>> =>
    Object.fromEntries(
      [...looseBits(oracle, the, outcomes).bits].map(([at, mask]) => [at.toString(16), mask]),
    );
  const TABLES_OPEN = { "100000": 0x20n, "101000": 0x20n, "102000": 0x20n };

  test("are A of the tables that a faulting walk came by, not of the page refused", () => {
    expect(openIn(aCase([access({})]), [pageFault(1)])).toEqual(TABLES_OPEN);
  });

  test("are none where an access succeeded", () => {
    expect(openIn(aCase([access({})]), [{}])).toEqual({});
    expect(openIn(aCase([access({}), access({})]), [pageFault(1), {}])).toEqual({});
    expect(openIn(aCase([access({}), access({})]), [{}, pageFault(1)])).toEqual({});
  });

  test("are none after the entry is rewritten", () => {
    const rewrite: VectorOperation = { kind: "entry", address: 0x10_1000n, value: 0x10_2007n };
    const { "101000": rewritten, ...others } = openIn(aCase([access({}), rewrite]), [
      pageFault(1),
      {},
    ]);
    expect(rewritten).toBeUndefined();
    expect(Object.keys(others)).toEqual(["100000", "102000"]);
  });

  test("are A of the page too if a bit was reserved", () => {
    const open = openIn(aCase([access({})]), [pageFault(9)]);
    expect(open).toEqual({ ...TABLES_OPEN, "103000": 0x20n });
  });

  test("are A and D of the first page if a store faults on the second", () => {
    const the = aCase([access({ kind: "write", address: 0xffcn })]);
    const open = openIn(the, [pageFault(3, 0x1000n)]);
    expect(open).toEqual({ ...TABLES_OPEN, "103000": 0x60n });
  });

  test("are A of the page after a locked access that KVM refused at CPL 0: K4", () => {
    const the = aCase([access({ kind: "add" })]);
    expect(openIn(the, [pageFault(3)], "kvm")).toHaveProperty("103000", 0x20n);
    expect(openIn(the, [pageFault(3)], "tcg")).not.toHaveProperty("103000");
    expect([...looseBits("kvm", the, [pageFault(3)]).artifacts]).toEqual(["K4"]);
  });

  test("are A of a gigabyte that TCG refused: T7", () => {
    const entries = [aCase([]).entries[0]!, { address: 0x10_1000n, value: 0x85n }];
    const the = aCase([access({ kind: "write" })], { entries });
    expect(openIn(the, [pageFault(3)], "tcg")).toHaveProperty("101000", 0x20n);
    expect(openIn(the, [pageFault(3)], "kvm")).not.toHaveProperty("101000");
  });

  test("are noticed when a load reads them", () => {
    const entries = [
      ...aCase([]).entries.slice(0, 3),
      { address: PT, value: 0x40_0005n },
      { address: PT + 8n, value: 0x10_2007n },
    ];
    const loads = [access({ kind: "write" }), access({ address: 0x1000n })];
    // The load itself settles A of the tables that it comes by: 0x102000 is one of them.
    expect(looseBits("tcg", aCase(loads, { entries }), [pageFault(3), {}]).isReadBack).toBe(true);
  });
});
