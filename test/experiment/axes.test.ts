import { BUILT_IN } from "../../src/catalogue/catalogue.ts";
import { describe, expect, test } from "vitest";
import { AXES, AXIS_NAMES, completeConfiguration } from "../../src/experiment/axes.ts";
import { parseSetting, readAxes } from "./read.ts";

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
};

describe("--set", () => {
  test("reads a list of values, each once and in order", () => {
    expect(parseSetting("cores=2,28,192,28")).toEqual({
      axis: "cores",
      values: [2, 28, 192],
      path: "--set cores=2,28,192,28",
    });
    expect(parseSetting("pcid=false,true").values).toEqual([false, true]);
    expect(parseSetting("lazyTlb= refcounted , eager").values).toEqual(["refcounted", "eager"]);
  });

  test("takes the x2APIC's destination mode, and whether there is one at all", () => {
    expect(parseSetting("x2apic=physical,true,false").values).toEqual([
      "physical",
      "cluster",
      "off",
    ]);
  });

  test.each([
    ["x2apic=clsuter", '"clsuter": did you mean cluster?'],
    ["coers=2", '--set coers=2: "coers": did you mean cores?'],
    ["lazyTlb=refcount", '--set lazyTlb=refcount: "refcount": did you mean refcounted?'],
    ["cpu=skylake", '--set cpu=skylake: "skylake": did you mean skylake-sp?'],
    ["cores=-2", '--set cores=-2: "-2": cores is a whole number of 1 to 1024'],
    ["cores=0", '"0": cores is a whole number of 1 to 1024'],
    ["cores=1025", '"1025": cores is a whole number of 1 to 1024'],
    ["cores=2.5", '"2.5": cores is a whole number of 1 to 1024'],
    ["cores=1e2", '"1e2": cores is a whole number of 1 to 1024'],
    ["cores=", '"": cores is a whole number of 1 to 1024'],
    ["cores=2,,3", '"": cores is a whole number of 1 to 1024'],
    ["rounds=Infinity", '"Infinity": rounds is a whole number'],
    ["pcid=on", '"on": pcid is true or false'],
    ["cores", '--set: "cores": write AXIS=VALUE[,VALUE]'],
    ["=2", '--set: "=2": write AXIS=VALUE[,VALUE]'],
    ["constructor=2", '"constructor": one of cpu, '],
  ])("refuses %s and says what to write", (text, message) => {
    expect(messageOf(() => parseSetting(text))).toContain(message);
  });
});

describe("axes of a file", () => {
  test("are a value or a list of values", () => {
    const settings = readAxes({ cores: [2, 28], pcid: false, cpu: "rome" }, "my.yaml: axes");
    expect(settings.map(({ values }) => values)).toEqual([[2, 28], [false], ["rome"]]);
  });

  test.each([
    [{ cores: [2, "x"] }, 'my.yaml: axes.cores[1]: "x": cores is a whole number of 1 to 1024'],
    [{ cores: -2 }, "my.yaml: axes.cores: -2: cores is a whole number"],
    [{ cores: [[2]] }, "my.yaml: axes.cores[0]: [2]: cores is"],
    [{ cores: null }, "my.yaml: axes.cores: null: cores is"],
    [{ cores: [] }, "my.yaml: axes.cores: []: give at least one value"],
    [{ coers: 2 }, 'my.yaml: axes: "coers": did you mean cores?'],
    [{ idle: "mwiat" }, 'my.yaml: axes.idle: "mwiat": did you mean mwait?'],
    [[], "my.yaml: axes: []: write axes as a map"],
    ["cores", 'my.yaml: axes: "cores": write axes as a map'],
  ])("refuse %j by path and value", (axes, message) => {
    expect(messageOf(() => readAxes(axes, "my.yaml: axes"))).toContain(message);
  });
});

describe("defaults", () => {
  test("fill every axis but those that are the preset's or off unless given", () => {
    const configuration = completeConfiguration({});
    const missing = AXIS_NAMES.filter((axis) => configuration[axis] === undefined);
    expect(missing).toEqual([
      "coresPerLlc",
      "llcsPerSocket",
      "pageSize",
      "x2apic",
      "ipiShorthand",
      "invpcid",
      "pti",
      "mutation",
    ]);
    expect(configuration).toMatchObject({ cpu: "skylake-sp", flushCeiling: 33, pcid: true });
  });

  test("turn PCID on only where the CPU has it", () => {
    expect(completeConfiguration({ cpu: "rome" }).pcid).toBe(false);
  });

  test("every default is a value that the axis reads", () => {
    for (const axis of AXIS_NAMES) {
      const value = completeConfiguration({})[axis];
      if (value !== undefined) expect(AXES[axis].read(String(value), BUILT_IN)).toBe(value);
    }
  });
});

test("a guest without MWAIT idles in HLT unless told otherwise", () => {
  expect(completeConfiguration({ protocol: "kvm-pv-6.18" }).idle).toBe("halt");
  expect(completeConfiguration({ protocol: "kvm-pv" }).idle).toBe("mwait");
});
