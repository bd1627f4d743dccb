// Every way in which a lazy CPU leaves the mm that it borrows for init_mm tells the lazy policy:
// whoever looks for lazy users in mm_cpumask does not find this CPU any more.

import { describe, expect, test } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import { unuseTemporaryMm, useTemporaryMm } from "../../../src/kernel/memory/temporary-mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  work,
} from "../../../src/kernel/operation/operation.ts";
import { protocols, type ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { SOURCE_FILES } from "../../tidy/source-files.ts";
import { flush, goLazy, type Lab, memory, play, runOn } from "../lab.ts";

type Leave = (cpu: Cpu, lab: Lab, mm: Mm) => KernelCode;

function* pokeText(cpu: Cpu, lab: Lab): KernelCode {
  yield* disableInterrupts();
  const prev = yield* useTemporaryMm(cpu, lab.mm("poking_mm"));
  yield* unuseTemporaryMm(cpu, prev);
  yield* enableInterrupts();
}

const freeTables: Leave = (cpu, _lab, mm) => flush(cpu, mm, memory(1), true);

/** The names of the mms of which the policy was told that a lazy CPU has left them. */
function toldOf(protocol: ProtocolName, idle: "poll" | "c6", leave: Leave): readonly string[] {
  const told: string[] = [];
  const policy = {
    ...lazyPolicies["exit-unlazy"],
    *lazyFlushed(_cpu: Cpu, mm: Mm): KernelCode {
      told.push(mm.name);
    },
  };
  const { violations } = play(
    { policy, protocol: protocols[protocol], idle, pcid: true },
    function* (cpu, lab) {
      const mm = lab.mm("borrowed");
      yield* runOn(cpu, mm);
      yield* goLazy(cpu);
      yield* lab.done(1);
      yield* leave(cpu, lab, mm);
    },
    function* (_cpu, lab) {
      yield* lab.after(1);
      yield* work({ name: "until the other CPU idles", cycles: 100_000 });
    },
  );
  expect(violations).toEqual([]);
  return told;
}

const AS_IT_IS: Leave = function* () {};

describe.each(["linux-4.20", "linux-5.13", "linux-6.18"] as const)("under %s", (protocol) => {
  test.each<[string, "poll" | "c6", Leave]>([
    ["a flush that frees tables", "poll", freeTables],
    ["a temporary mm", "poll", pokeText],
    ["a sleep that loses the TLB", "c6", AS_IT_IS],
  ])("%s tells the policy once", (_what, idle, leave) => {
    expect(toldOf(protocol, idle, leave)).toEqual(["borrowed"]);
  });

  test("a CPU that stays lazy tells nothing", () => {
    expect(toldOf(protocol, "poll", AS_IT_IS)).toEqual([]);
  });
});

test("there is no other way", () => {
  const leaves = /yield\* switchMm\w*\(.*\binitMm\b/;
  const ways = SOURCE_FILES.filter(
    ({ path, text }) =>
      path.startsWith("src/kernel/") && !path.startsWith("src/kernel/lazy/") && leaves.test(text),
  );
  expect(ways.map(({ path }) => path).toSorted()).toEqual([
    "src/kernel/cpu/play-dead.ts", // of a mutation
    "src/kernel/shootdown/linux-4.15.ts", // in place of turning lazy
  ]);
});
