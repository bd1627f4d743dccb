// I8, and I1 of kernel pages: kernels that flush the kernel half too little, and staleness of it
// that is legal.

import { describe, expect, test } from "vitest";
import { addressOfPage, pageNumber } from "../../src/base/address.ts";
import type { Cpu } from "../../src/kernel/state/cpu.ts";
import { type KernelCode, kernelAccess, writeCr3 } from "../../src/kernel/operation/operation.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../src/kernel/state/shootdown-protocol.ts";
import { onEachCpu } from "../../src/kernel/cpu/smp.ts";
import { vfree, vmalloc, VMALLOC_START } from "../../src/kernel/memory/vmalloc.ts";
import { type Lab, memory, play, runOn, type Script, touch } from "../kernel/lab.ts";
import type { Outcome } from "../kernel/scene.ts";

type Flush = ShootdownProtocol["flushKernelRange"];
const flushingBy = (flushKernelRange: Flush): ShootdownProtocol => ({
  ...linux513,
  flushKernelRange,
});

const reload = (cpu: Cpu): KernelCode => writeCr3(cpu.tlb.cr3Mm.root, 2, false);

/** MOV CR3 on every CPU, which leaves global translations. */
const reloadsCr3 = flushingBy((cpu) => onEachCpu(cpu, reload));
/** Nobody is told. */
const flushesNothing = flushingBy(function* () {});

/** Both CPUs read a kernel page; CPU 0 unmaps it, maps another there, and both `readAgain`. */
function replaced(protocol: ShootdownProtocol, pti: boolean, readAgain = false): Outcome {
  const page = VMALLOC_START;
  const script: Script = function* (cpu, lab) {
    yield* runOn(cpu, lab.mm("mm"));
    const range = yield* vmalloc(cpu, 1);
    yield* kernelAccess(page, "read");
    yield* lab.done(1);
    yield* lab.after(2);
    yield* vfree(cpu, range);
    yield* vmalloc(cpu, 1);
    yield* lab.done(3);
    if (readAgain) yield* kernelAccess(page, "read");
    yield* lab.after(4);
  };
  const other: Script = function* (cpu, lab: Lab) {
    yield* lab.after(1);
    yield* runOn(cpu, lab.mm("other"));
    yield* kernelAccess(page, "read");
    yield* lab.done(2);
    yield* lab.after(3);
    if (readAgain) yield* kernelAccess(page, "read");
    yield* lab.done(4);
  };
  const outcome = play({ protocol, kernel: { pti, invpcid: true } }, script, other);
  expect(outcome.ended).toBe("stopped");
  return outcome;
}

const found = ({ violations }: Outcome) =>
  violations.map(({ invariant, cpus }) => [invariant, cpus.join()]);

describe("of global pages", () => {
  test("a CPU that still holds one when the flush returns is reported, used or not", () => {
    for (const protocol of [flushesNothing, reloadsCr3]) {
      const outcome = replaced(protocol, false);
      expect(found(outcome)).toEqual([
        ["I8", "0"],
        ["I8", "0,1"],
      ]);
      expect(outcome.violations[1]!.message).toBe(
        "CPU 0 has flushed kernel pages 0xffffc90000000 to 0xffffc90000001 " +
          "while CPU 1 holds a global translation of one that is older than the flush",
      );
    }
  });

  test("its use is reported as well", () => {
    const invariants = found(replaced(flushesNothing, false, true)).map(([name]) => name);
    expect(invariants).toEqual(["I8", "I8", "I1", "I1"]);
  });

  test("one that was filled from an address space that is gone counts, too", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("gone");
      yield* runOn(cpu, mm);
      const range = yield* vmalloc(cpu, 1);
      yield* kernelAccess(range.start, "read");
      yield* runOn(cpu, lab.mm("next"));
      lab.kernel.release(mm);
      yield* vfree(cpu, range);
    };
    expect(found(play({ protocol: reloadsCr3 }, script))).toEqual([["I8", "0"]]);
    expect(play({}, script).violations).toEqual([]);
  });
});

describe("of pages that are not global", () => {
  test("a MOV CR3 on every CPU is enough where each holds them in the loaded PCID only", () => {
    expect(found(replaced(reloadsCr3, true, true))).toEqual([]);
  });

  test("holding a stale one is legal, using it is reported", () => {
    expect(found(replaced(flushesNothing, true))).toEqual([]);
    expect(found(replaced(flushesNothing, true, true))).toEqual([
      ["I1", "0"],
      ["I1", "1"],
    ]);
  });
});

test("user pages and other kernel pages are left alone", () => {
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(2), "write");
    const [first, second] = [yield* vmalloc(cpu, 1), yield* vmalloc(cpu, 1)];
    yield* kernelAccess(second.start, "read");
    // Both change in memory without a flush; only the flush of the first is over.
    lab.kernel.initMm.tables.setEntry(second.start, 0n);
    mm.tables.setEntry(memory(1).start, 0n);
    yield* vfree(cpu, first);
    const { machine } = lab.kernel;
    const access = (page: number) =>
      machine.access(0, { address: addressOfPage(pageNumber(page)), kind: "read", user: false });
    expect(access(second.start)).toMatchObject({ stale: false });
    expect(access(memory(1).start)).toMatchObject({ stale: false });
  };
  expect(play({}, script).violations).toEqual([]);
});
