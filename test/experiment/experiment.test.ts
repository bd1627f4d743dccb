import { describe, expect, test } from "vitest";
import { BUILT_IN_NAMES } from "../../src/experiment/builtin.ts";
import { readExperiment } from "../../src/experiment/experiment.ts";
import { loadExperiment } from "./read.ts";
import { expand } from "../../src/experiment/matrix.ts";
import { scratch } from "../scratch.ts";

const { folder, file } = scratch("experiment");

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, "");
  }
  return "nothing was thrown";
};

describe("a definition", () => {
  test("puts a part's axes over the experiment's own", () => {
    const { parts } = readExperiment(
      {
        name: "two",
        workloads: ["munmap"],
        axes: { cpu: "rome", cores: 2 },
        parts: [{ axes: { cores: [4, 8] } }, { workloads: ["pingpong"] }],
      },
      "experiment",
    );
    expect(parts.map(({ workloads }) => workloads)).toEqual([["munmap"], ["pingpong"]]);
    const values = parts.map(({ settings }) => settings.map((one) => [one.axis, one.values]));
    expect(values[0]).toEqual([
      ["cpu", ["rome"]],
      ["cores", [4, 8]],
    ]);
    expect(values[1]).toEqual([
      ["cpu", ["rome"]],
      ["cores", [2]],
    ]);
  });

  test.each([
    [{ workload: "munmap" }, 'x: "workload": did you mean workloads?'],
    [{ workloads: ["munnap"] }, 'x: workloads[0]: "munnap": did you mean munmap?'],
    [{ workloads: ["replay"] }, 'x: workloads[0]: "replay": name the traces'],
    [{ axes: { cores: 2 } }, "x: workloads: missing: a list of "],
    [{ parts: [{ axes: {} }] }, "x: parts[0].workloads: missing: a list of "],
    [{ parts: [{ seeds: 3 }] }, 'x: parts[0]: "seeds": did you mean axes? one of'],
    [{ parts: [{ workloads: ["x"] }] }, 'x: parts[0].workloads[0]: "x": '],
    [{ workloads: "munmap", seeds: 0 }, "x: seeds: 0: a whole number of 1 to 1000"],
    [{ workloads: "munmap", seeds: -1 }, "x: seeds: -1: a whole number of 1 to 1000"],
    [{ workloads: "munmap", name: 7 }, "x: name: 7: write a text"],
    [{ traces: [7] }, "x: traces[0]: 7: the path of a recorded trace"],
    ["munmap", 'x: "munmap": write a map'],
    [[], "x: []: write a map"],
  ])("%j is refused by path and value", (definition, message) => {
    expect(messageOf(() => readExperiment(definition, "x"))).toContain(message);
  });
});

describe("a file", () => {
  test("in YAML and in JSON says the same", () => {
    const yaml = file("same.yaml", "workloads: [munmap]\naxes:\n  cores: [2, 4]\nseeds: 3\n");
    const json = file("same.json", '{"workloads":["munmap"],"axes":{"cores":[2,4]},"seeds":3}');
    const withoutPaths = (path: string): string =>
      JSON.stringify(loadExperiment(path)).replaceAll(path, "");
    expect(withoutPaths(yaml)).toBe(withoutPaths(json));
    expect(loadExperiment(yaml)).toMatchObject({ name: "same", seeds: 3 });
  });

  test.each([
    ["broken.yaml", "axes:\n  cores: [2, 4\nseeds: 1\n", /^broken\.yaml:\d+:\d+: ".*": /],
    ["broken.json", '{"workloads": ["munmap"', /^broken\.json:1:\d+: ".*": /],
    [
      "twice.yaml",
      "seeds: 1\nseeds: 2\n",
      /^twice\.yaml:2:1: "seeds: 2": write YAML or JSON: map keys must be unique/,
    ],
    ["empty.yaml", "", /^empty\.yaml: "an empty file": /],
    ["comment.yaml", "# nothing\n", /^comment\.yaml: "an empty file": /],
    ["list.yaml", "- a\n", /^list\.yaml: \["a"\]: write a map/],
    [
      "axis.yaml",
      "workloads: munmap\naxes:\n  cores: [2, no]\n",
      /^axis\.yaml: axes\.cores\[1\]: /,
    ],
  ])("%s is refused with its place", (name, text, message) => {
    expect(messageOf(() => loadExperiment(file(name, text)))).toMatch(message);
  });

  test("that is a directory or not there is refused", () => {
    expect(messageOf(() => loadExperiment(folder))).toContain('"a directory": name the YAML');
    expect(messageOf(() => loadExperiment("munmpa"))).toContain("munmpa: missing: ");
    expect(messageOf(() => loadExperiment("munmpa"))).toContain("did you mean munmap?");
  });
});

describe("the built-in experiments", () => {
  test.each(BUILT_IN_NAMES)("%s spans a matrix without duplicates", (name) => {
    const { plans, notes } = expand(loadExperiment(name), []);
    expect(plans.length).toBeGreaterThan(1);
    expect(new Set(plans.map((cell) => JSON.stringify(cell))).size).toBe(plans.length);
    expect(notes).toEqual([]);
  });

  test("the default compares pingpong up to 192 cores and replays a trace six ways", () => {
    const { plans } = expand(loadExperiment("default"), []);
    const pingpong = plans.filter((cell) => cell.workload === "pingpong");
    expect(Math.max(...pingpong.map((cell) => cell.configuration.cores))).toBe(192);
    expect(plans.filter((cell) => cell.trace !== undefined)).toHaveLength(6);
  });
});
