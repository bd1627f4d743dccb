import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { rowOf } from "../../src/experiment/row.ts";
import { formatCsv } from "../../src/report/csv.ts";
import { measurementWith, rowWith, violation } from "../experiment/samples.ts";

/** The keys of a row's values, nested ones joined with dots; lists are one value. */
function keysOf(value: object, prefix = ""): readonly string[] {
  return Object.entries(value).flatMap(([key, child]) =>
    typeof child === "object" && child !== null && !Array.isArray(child)
      ? keysOf(child as object, `${prefix}${key}.`)
      : [`${prefix}${key}`],
  );
}

describe("CSV", () => {
  test("has a column for every key of a row", () => {
    const configuration = completeConfiguration({
      coresPerLlc: 4,
      llcsPerSocket: 2,
      pti: true,
      invpcid: false,
      mutation: "none",
      pageSize: "4K",
      x2apic: "cluster",
      ipiShorthand: false,
    });
    const full = rowOf({ configuration, workload: "munmap" }, [
      measurementWith(),
      measurementWith(),
    ]);
    const [header] = formatCsv([full]).split("\r\n");
    expect(header!.split(",").toSorted()).toEqual(keysOf(full).toSorted());
  });

  test("ends every line with CRLF and gives each as many fields as the header", () => {
    const text = formatCsv([rowWith({}), rowWith({ configuration: { cores: 28 } })]);
    const lines = text.split("\r\n");
    expect(lines.pop()).toBe("");
    expect(lines).toHaveLength(3);
    expect(new Set(lines.map((line) => line.split(",").length)).size).toBe(1);
  });

  test("quotes commas, quotes and line feeds, so that JSON in a field comes back", () => {
    const message = 'freed "mm", used\nagain';
    const row = rowWith({ measurement: { violations: [{ ...violation, message }] } });
    const [, line] = formatCsv([row]).split("\r\n");
    const field = /"((?:[^"]|"")*)"$/.exec(line!)![1]!.replaceAll('""', '"');
    expect(JSON.parse(field)).toEqual(row.violations);
  });

  test("leaves a field empty where a row has no value", () => {
    const [header, line] = formatCsv([rowWith({})]).split("\r\n");
    const column = header!.split(",").indexOf("confidence.initiatorMean.low");
    expect(line!.split(",")[column]).toBe("");
  });
});
