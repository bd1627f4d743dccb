import { describe, expect, test } from "vitest";
import type { Configuration } from "../../src/experiment/configuration.ts";
import type { Row } from "../../src/experiment/result.ts";
import { answers } from "../../src/report/answers.ts";
import { rowWith, violation } from "../experiment/samples.ts";

const switching = (lazyTlb: Configuration["lazyTlb"], cores: number, perSecond: number): Row =>
  rowWith({
    workload: "pingpong",
    configuration: { lazyTlb, cores },
    measurement: {
      initiatorCycles: [],
      contextSwitches: perSecond,
      elapsedSeconds: 1,
      ipis: 0,
      refillCycles: 0,
    },
  });

describe("the answers", () => {
  test("compare switching without a shared count with refcounted, by cores", () => {
    const text = answers([
      switching("refcounted", 2, 1e6),
      switching("exit-unlazy", 2, 1.5e6),
      switching("refcounted", 192, 1e6),
      switching("exit-unlazy", 192, 90e6),
    ]).join("\n");
    expect(text).toContain("  refcounted: 1.0M/s at 2, 1.0M/s at 192\n");
    expect(text).toContain("  exit-unlazy: 1.5M/s at 2 (x1.50), 90.0M/s at 192 (x90.0)\n");
    expect(text).toContain("at 192 cores the best policy without a shared count is x90.0");
    expect(text).toContain("1.0M -> 118M, x118");
  });

  test("say what lazy TLB and PCID change, each against a row that differs in that alone", () => {
    const munmap = (configuration: Partial<Configuration>, cycles: number): Row =>
      rowWith({ configuration, measurement: { initiatorCycles: [cycles] } });
    const text = answers([
      munmap({ lazyTlb: "eager", cores: 2 }, 2000),
      munmap({ lazyTlb: "refcounted", cores: 2 }, 1500),
      munmap({ lazyTlb: "refcounted", cores: 2, pcid: false }, 1600),
      munmap({ lazyTlb: "eager", cores: 2, pcid: false }, 1600),
      munmap({ lazyTlb: "refcounted", cores: 28 }, 9000),
    ]).join("\n");
    expect(text).toContain("  munmap, 2 cores: shootdown cycles -25 %; without PCID nothing\n");
    expect(text).toContain("  munmap, 2 cores: refcounted shootdown cycles -6.3 %;");
    expect(text).toContain("; eager shootdown cycles +25 %\n");
    expect(text).not.toContain("28 cores");
  });

  test("say what was not there before, in numbers", () => {
    const eager = rowWith({ configuration: { lazyTlb: "eager" }, measurement: { ipis: 0 } });
    expect(answers([eager, rowWith({})]).join("\n")).toContain("munmap, 2 cores: IPIs 0 -> 4\n");
  });

  test("compare no row that broke", () => {
    const measurement = { violations: [violation] };
    const text = answers([
      rowWith({ configuration: { lazyTlb: "eager" } }),
      rowWith({ measurement }),
    ]).join("\n");
    expect(text).not.toContain("what lazy TLB changes");
  });

  test("name the rows that broke as expected, and those that were not expected to", () => {
    const measurement = { violations: [violation] };
    const verdicts = (rows: readonly Row[]): string | undefined =>
      answers(rows).find((line) => line.startsWith("verdicts: "));
    const known = rowWith({ configuration: { lazyTlb: "unrefcounted" }, measurement });
    expect(verdicts([rowWith({}), known])).toBe(
      "verdicts: 1 of 2 rows ok; 1 broke as expected: unrefcounted (munmap)",
    );
    expect(verdicts([rowWith({ measurement })])).toBe(
      "verdicts: 0 of 1 rows ok; NOT AS EXPECTED: refcounted (munmap)",
    );
  });

  test("name the exploration that breaks a kernel which passed here", () => {
    const passing = (protocol: Configuration["protocol"], lazyTlb: Configuration["lazyTlb"]): Row =>
      rowWith({ configuration: { protocol, lazyTlb } });
    const said = (...rows: readonly Row[]): readonly string[] => answers(rows).slice(-3);
    expect(
      said(passing("linux-5.13", "refcounted"), passing("linux-6.18", "null-prev")),
    ).toStrictEqual([
      "ok is said of one order of steps; others break these kernels:",
      "  shootdown explore unmap-against-switch --protocol linux-5.13",
      "  shootdown explore exit-unmapped-while-lazy --protocol linux-6.18 --policy null-prev",
    ]);
    expect(said(passing("linux-6.18", "refcounted")).at(-1)).toMatch(/^verdicts: 1 of 1/);
  });
});
