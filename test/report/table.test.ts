import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { colours } from "../../src/report/paint.ts";
import { formatTable } from "../../src/report/table.ts";
import { measurementWith, rowWith, violation } from "../experiment/samples.ts";
import { rowOf } from "../../src/experiment/row.ts";

const quiet = { initiatorCycles: [], responderCycles: [], ipis: 0, ipisToLazy: 0 };

const rows = [
  rowWith({ configuration: { cores: 2 } }),
  rowWith({ configuration: { cores: 28 }, measurement: { ipis: 12_345 } }),
  rowWith({ configuration: { cores: 2 }, workload: "pingpong", measurement: quiet }),
];

describe("the table", () => {
  test("says constant axes once, and groups by workload", () => {
    const [head, munmap, pingpong] = formatTable(rows).split("\n\n");
    expect(head).toContain("cpu=skylake-sp");
    expect(head).not.toContain("cores=");
    expect(munmap!.split("\n")[0]).toBe("munmap");
    expect(pingpong!.split("\n")[0]).toBe("pingpong  cores=2");
    expect(munmap).not.toContain("skylake-sp");
  });

  test("puts configurations down and costs across", () => {
    const [, munmap] = formatTable(rows).split("\n\n");
    const lines = munmap!.split("\n");
    expect(lines[1]).toMatch(/^cores +shoot- +initiator +p50 +p99 /);
    expect(lines.find((line) => line.startsWith("28 "))).toMatch(/ 12\.3k .* ok$/);
  });

  test("leaves out columns that are zero in the whole group", () => {
    const [, munmap, pingpong] = formatTable(rows).split("\n\n");
    expect(munmap).toContain("IPIs");
    expect(pingpong).not.toContain("IPIs");
    expect(pingpong).not.toContain("initiator");
  });

  test("fits the width that it is given, and names what it left out", () => {
    const wide = formatTable(rows, { width: 1000 });
    const narrow = formatTable(rows, { width: 80 });
    expect(wide).not.toContain("not shown");
    expect(narrow).toContain("not shown: ");
    const [, ...tables] = narrow.split("\n\n");
    const widths = tables
      .flatMap((table) => table.split("\n"))
      .filter((line) => !line.startsWith("not shown"))
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
  });

  test("marks a verdict that was not expected", () => {
    const bad = rowWith({ measurement: { violations: [violation] } });
    const missing = rowWith({ configuration: { lazyTlb: "unrefcounted" } });
    const known = rowWith({
      configuration: { lazyTlb: "unrefcounted" },
      measurement: { violations: [violation] },
    });
    expect(formatTable([bad])).toMatch(/! violation$/m);
    expect(formatTable([missing])).toMatch(/! none seen$/m);
    expect(formatTable([known])).toMatch(/ violation$/m);
    expect(formatTable([known])).not.toContain("!");
  });

  test("shows the interval over seeds next to the mean", () => {
    const other = measurementWith({ initiatorCycles: [2400] });
    const [row] = rows;
    const several = rowOf({ configuration: row!.configuration, workload: "munmap" }, [
      measurementWith(),
      other,
    ]);
    expect(formatTable([several])).toMatch(/2\.1k ±2\.5k/);
  });

  test("colours only where asked, without changing the text", () => {
    const painted = formatTable(rows, { paint: colours });
    expect(painted).toContain("\u001b[");
    expect(formatTable(rows)).not.toContain("\u001b[");
    expect(stripVTControlCharacters(painted)).toBe(formatTable(rows));
  });

  test("of no rows says so", () => {
    expect(formatTable([])).toBe("no rows\n");
  });
});
