// What is kept of a failure: the operation it is about, on the machine and on the reference model.

import { describe, expect, test } from "vitest";
import { machineEngine } from "../../../src/machine/engine.ts";
import { plain } from "../../../src/report/paint.ts";
import { formatVerification } from "../../../src/report/verification.ts";
import { explainFailure, type ExplainedFailure } from "../../../src/verify/vectors/side-by-side.ts";
import type { Vector } from "../../../src/verify/vectors/vector.ts";
import { verifyVectors } from "../../../src/verify/vectors/verify-vectors.ts";
import { MACHINE } from "../../machine/describe.ts";
import { ADDRESS, RECORD, vectorOf } from "./record.ts";

const boot = machineEngine(MACHINE);

async function explain(vector: Vector): Promise<ExplainedFailure> {
  const { failures } = await verifyVectors(boot, [vector]);
  return explainFailure(boot, vector, failures[0]!);
}

/** Without its heading. */
async function printed(vector: Vector): Promise<readonly string[]> {
  const explained: ExplainedFailure[] = [];
  const verification = await verifyVectors(boot, [vector], {
    onFailure: (failure, failed) => explained.push(explainFailure(boot, failed, failure)),
  });
  const text = formatVerification(verification, explained, { paint: plain, columns: 120 });
  return text.split("\n").slice(2);
}

const READ = { op: "r", va: ADDRESS };
/** Maps the page elsewhere, and invalidates nothing. */
const REMAP = { op: "pte", pa: "0x4028", val: "0xa007" };
const good = { ok: 1, val: "0x8f400000009b8" };

const stale = vectorOf({
  ops: [READ, REMAP, READ],
  exp: { ...RECORD.exp, res: [good, { ok: 1 }, { ok: 1, val: "0x8f40000000ab8" }] },
});

describe("an access", () => {
  test("that a TLB answers is beside the walk that the reference model takes", async () => {
    const { at, sides } = await explain(stale);
    expect(at).toBe(2);
    expect(sides).toMatchObject({
      kind: "access",
      machine: { result: { source: "l1", physical: 0x9008n } },
      reference: { outcome: { reached: { physical: 0xa008n } } },
    });
    expect(sides).not.toHaveProperty("machine.walk");
  });

  test("that a TLB answers is printed so", async () => {
    expect((await printed(stale)).slice(0, 9)).toEqual([
      "failed one operation 2: load of 8 bytes at 0x5008, CPL 0",
      "  expected  read 0x8f40000000ab8 (kvm)",
      "  actual    read 0x8f400000009b8",
      "         machine                           | reference model",
      "  PML4E  in a TLB                          | 0x1000 0x2027 WUX +A",
      "  PDPTE                                    | 0x2000 0x3027 WUX +A",
      "  PDE                                      | 0x3000 0x4027 WUX +A",
      "  PTE                                      | 0x4028 0xa007 WUX +A",
      "         0x9008, first-level TLB, 4 cycles | 0xa008",
    ]);
  });

  test("that crosses a page has the walks of both pages", async () => {
    const lines = await printed(
      vectorOf({
        ops: [
          { op: "pte", pa: "0x4030", val: "0xb007" },
          { op: "r", va: "0x5ffc" },
        ],
        exp: {
          ...RECORD.exp,
          res: [{ ok: 1 }, { ok: 1, val: "0x1" }],
          extra: ["0x4030"],
          mem: [0, 0, 0, 0, 0],
        },
      }),
    );
    expect(lines.filter((line) => line.startsWith("  PTE"))).toEqual([
      expect.stringContaining("0x4028 0x9007 200 cycles"),
      expect.stringContaining("0x4030 0xb007 4 cycles"),
    ]);
    expect(lines.filter((line) => line.includes("not loaded"))).toHaveLength(3);
  });

  test("that walks to an entry with a reserved bit names the bits", async () => {
    const lines = await printed(
      vectorOf({
        mem: [...RECORD.mem.slice(0, 3), ["0x4028", "0x8000000009007"]],
      }),
    );
    expect(lines).toContainEqual(expect.stringMatching(/PTE .*reserved 0x8000000000000$/));
    expect(lines).toContainEqual(expect.stringMatching(/#PF\(0x9\) at 0x5008, reserved bit$/));
  });
});

test("an entry that is wrong at the end is explained by the last access that used it", async () => {
  const exp = { ...RECORD.exp, res: [good, good], mem: ["0x2027", "0x3027", "0x4027", "0x9067"] };
  const { failure, at, sides } = await explain(vectorOf({ ops: [READ, READ], exp }));
  expect(failure).toMatchObject({ operation: "final", actual: "entry at 0x4028 is 0x9027" });
  expect(at).toBe(1);
  expect(sides).toMatchObject({ kind: "access", machine: { result: { source: "l1" } } });
});

test("an entry that no access used is not explained", async () => {
  const exp = { ...RECORD.exp, res: [], mem: ["0x2027", "0x3007", "0x4007", "0x9007"] };
  const explained = await explain(vectorOf({ ops: [], exp }));
  expect(explained.failure.operation).toBe("final");
  expect(explained).not.toHaveProperty("sides");
});

test("an instruction has the fault of each side", async () => {
  const ops = [{ op: "cr4", val: "0x0" }];
  const vector = vectorOf({ ops, exp: { ...RECORD.exp, res: [{ ok: 1 }] } });
  const { at, sides } = await explain(vector);
  expect(at).toBe(0);
  expect(sides).toMatchObject({ machine: { vector: 13 }, reference: { vector: 13 } });
  expect(await printed(vector)).toContain("    #GP(0x0) | #GP(0x0)");
});

test("the first load of CR3 has the fault of each side", async () => {
  const exp = { res: [], ld: { vec: 13, ec: 0 }, mem: [0, 0, 0, 0] };
  const explained = await explain(vectorOf({ exp }));
  expect(explained).toMatchObject({ at: "load", sides: { kind: "instruction" } });
});
