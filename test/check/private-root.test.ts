// The checkers against kernels that get ABIS wrong: translations filled from a CPU's own root are
// judged like any other, and so is that root.

import { describe, expect, test } from "vitest";
import type { PageRange } from "../../src/base/address.ts";
import { withRecord } from "../../src/kernel/state/leaf-entry.ts";
import { madviseDontNeed } from "../../src/kernel/memory/madvise.ts";
import { mmput } from "../../src/kernel/memory/mm-count.ts";
import { note, writeCr3 } from "../../src/kernel/operation/operation.ts";
import { abis } from "../../src/kernel/shootdown/abis.ts";
import type { ShootdownProtocol } from "../../src/kernel/state/shootdown-protocol.ts";
import { pcidOfAsid } from "../../src/kernel/state/tlb-state.ts";
import { type Act, inTurn } from "../kernel/in-turn.ts";
import { memory, runOn, touch } from "../kernel/lab.ts";
import type { SceneOptions } from "../kernel/scene.ts";

const PAGE: PageRange = memory(1);

type Does = Act[1];

/** What is found when two CPUs of an mm do this, one after the other. */
function found(kernel: SceneOptions, ...acts: readonly Act[]): readonly string[] {
  const { violations } = inTurn(2, { protocol: abis, ...kernel }, ...acts);
  return [...new Set(violations.map(({ invariant }) => invariant))];
}

const writes: Does = () => touch(PAGE, "write");
const reads: Does = () => touch(PAGE, "read");
const discards: Does = (cpu, mm) => madviseDontNeed(cpu, mm, PAGE);
/** The range is flushed for nobody, and that is all. */
const flushedForNobody: Does = function* (_cpu, mm) {
  yield* note({ kind: "flushBegin", mm, range: PAGE });
  yield* note({ kind: "flushReturn", mm, range: PAGE, remote: false });
};

describe("I1 is reported of an ABIS that", () => {
  test("does not interrupt the one CPU that has the page", () => {
    const mutation = "abis-clear-is-uncached";
    expect(found({}, [0, writes], [1, discards], [0, reads])).toEqual([]);
    expect(found({ mutation }, [0, writes], [1, discards], [0, reads])).toEqual(["I1"]);
    expect(found({ mutation }, [0, writes], [0, discards], [0, reads])).toEqual(["I1"]);
  });

  test("takes a page for one CPU's although its accessed bit is set", () => {
    const mutation = "abis-record-outlives-access";
    const acts: readonly Act[] = [
      [0, writes],
      [1, reads],
      [0, discards],
      [1, reads],
    ];
    expect(found({}, ...acts)).toEqual([]);
    expect(found({ mutation }, ...acts)).toEqual(["I1"]);
  });

  test("records another CPU than the one that has it", () => {
    const protocol: ShootdownProtocol = {
      ...abis,
      *installLeaf(cpu, leaf) {
        yield* abis.installLeaf!(cpu, leaf);
        const { tables } = leaf.mm;
        tables.setEntry(leaf.page, withRecord(tables.entryAt(leaf.page), cpu.id + 2));
      },
    };
    expect(found({ protocol }, [0, writes], [1, discards], [0, reads])).toEqual(["I1"]);
  });
});

test("a translation from a CPU's own root is right where it agrees with the shared tables", () => {
  expect(found({}, [0, writes], [1, flushedForNobody], [0, reads])).toEqual([]);
});

test("a CPU that stays on its own root is reported when the mm is freed (I4)", () => {
  const stays: Does = (_cpu, mm) => writeCr3(mm.privatePaths[0]!.root, pcidOfAsid(0), true);
  const leaves: Does = (cpu) => runOn(cpu, cpu.kernel.initMm);
  const puts: Does = (cpu, mm) => mmput(cpu, mm);
  const steps = [
    [0, writes],
    [0, leaves],
    [1, leaves],
    [1, puts],
  ] as const;
  expect(found({}, ...steps, [1, puts])).toEqual([]);
  expect(found({}, ...steps, [0, stays], [1, puts])).toContain("I4");
});

test("another mm's root is not to be loaded over what a PCID holds from a CPU's own root", () => {
  const switches: Does = function* (cpu) {
    const other = cpu.kernel.createMm("other", 0);
    other.cpumask.words[0]!.value = 1;
    yield* writeCr3(other.root, pcidOfAsid(0), true);
  };
  expect(found({}, [0, writes], [0, switches])).toContain("I1");
});
