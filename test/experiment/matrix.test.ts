import { describe, expect, test } from "vitest";
import { LAZY_POLICY_NAMES } from "../../src/kernel/lazy/policies.ts";
import { readExperiment, type ExperimentDefinition } from "../../src/experiment/experiment.ts";
import { expand, runsOf, type Matrix } from "../../src/experiment/matrix.ts";
import { parseSetting } from "./read.ts";
import { nameTraces } from "../../src/experiment/traces.ts";

const matrixOf = (definition: Partial<ExperimentDefinition>, ...set: string[]): Matrix =>
  expand(readExperiment({ workloads: ["munmap"], ...definition }, "x"), set.map(parseSetting));

describe("a matrix", () => {
  test("varies the policy fastest, then PCID, then the cores, and groups by workload", () => {
    const { plans } = matrixOf({
      workloads: ["pingpong", "munmap"],
      axes: { lazyTlb: ["eager", "refcounted"], cores: [28, 2] },
    });
    const seen = plans.map(({ workload, configuration: { cores, lazyTlb } }) =>
      [workload, cores, lazyTlb].join(" "),
    );
    expect(seen).toEqual([
      "pingpong 28 eager",
      "pingpong 28 refcounted",
      "pingpong 2 eager",
      "pingpong 2 refcounted",
      "munmap 28 eager",
      "munmap 28 refcounted",
      "munmap 2 eager",
      "munmap 2 refcounted",
    ]);
  });

  test("an override replaces the axis in every part, and equal plans are one", () => {
    const parts = [{ axes: { cores: [2, 28] } }, { axes: { cores: 192 } }];
    expect(matrixOf({ parts }).plans).toHaveLength(3);
    expect(matrixOf({ parts }, "cores=4").plans).toHaveLength(1);
  });

  test("of one axis set twice, the last counts", () => {
    const { plans } = matrixOf({}, "cores=4", "cores=8");
    expect(plans.map(({ configuration }) => configuration.cores)).toEqual([8]);
  });

  test("leaves out PCID on a CPU without it and says why", () => {
    const { plans, notes } = matrixOf({}, "cpu=skylake-sp,rome", "pcid=true,false");
    expect(plans).toHaveLength(3);
    expect(notes).toEqual(["left out cpu=rome pcid=true: rome has no PCID"]);
  });

  test("leaves out INVPCID on a CPU without it, and takes page-table isolation on any", () => {
    const { plans, notes } = matrixOf({}, "cpu=skylake-sp,rome", "invpcid=true,false", "pti=true");
    expect(plans.map(({ configuration }) => configuration.pti)).toEqual([true, true, true]);
    expect(notes).toEqual(["left out cpu=rome invpcid=true: rome has no INVPCID"]);
  });

  test.each(["null-prev", "fewer-parameters"])(
    "leaves out %s in a guest whose flush need not interrupt anybody, and says why",
    (policy) => {
      const { plans, notes } = matrixOf(
        {},
        "protocol=linux-5.13,kvm-pv",
        `lazyTlb=eager,${policy}`,
      );
      expect(plans).toHaveLength(3);
      expect(notes).toEqual([
        `left out protocol=kvm-pv lazyTlb=${policy}: ` +
          `${policy} relies on the interrupt of exit_mmap, which kvm-pv may not send`,
      ]);
      expect(() => matrixOf({}, "protocol=kvm-pv", `lazyTlb=${policy}`)).toThrow(
        `--set lazyTlb=${policy}: "${policy}": ${policy} relies on`,
      );
    },
  );

  test("leaves out INVLPGB on a CPU or with a protocol that knows none, and without PCIDs", () => {
    const milan = ["cpu=milan", "protocol=linux-6.18", "invlpgb=true"];
    expect(matrixOf({}, ...milan).plans).toHaveLength(1);
    const reasonOf = (change: string): string =>
      matrixOf({}, ...milan, "invlpgb=true,false", change).notes.join();
    expect(reasonOf("cpu=milan,skylake-sp")).toBe(
      "left out cpu=skylake-sp invlpgb=true: skylake-sp has no INVLPGB",
    );
    expect(reasonOf("protocol=linux-5.13,linux-6.18")).toBe(
      "left out protocol=linux-5.13 invlpgb=true: linux-5.13 knows no INVLPGB",
    );
    expect(reasonOf("pcid=true,false")).toBe(
      "left out pcid=false invlpgb=true: INVLPGB is of use only with PCID: a global ASID is one",
    );
  });

  test("leaves out C6 on a CPU for which it has no figure", () => {
    const { plans, notes } = matrixOf({}, "cpu=skylake-sp,milan", "idle=mwait,c6");
    expect(plans).toHaveLength(3);
    expect(notes).toEqual([
      "left out cpu=milan idle=c6: milan has no figure for a state that loses the TLB",
    ]);
  });

  test("leaves out an xAPIC of more CPUs than its ids can name", () => {
    const { plans, notes } = matrixOf({}, "cores=255,256", "x2apic=off,cluster");
    expect(plans).toHaveLength(3);
    expect(notes).toEqual([
      "left out cores=256 x2apic=off: an xAPIC has ids of 8 bits, for 255 CPUs",
    ]);
  });

  test("refuses a value that was asked for and fits no machine", () => {
    expect(() => matrixOf({}, "cpu=rome", "pcid=true")).toThrow(
      "--set pcid=true: true: rome has no PCID; leave it out or choose another",
    );
    expect(() => matrixOf({ axes: { cpu: "rome", pcid: true } })).toThrow(
      'axes: "cpu=rome pcid=true": rome has no PCID',
    );
  });

  test("runs linux-4.8 without PCID unless told otherwise, which is refused", () => {
    const { plans } = matrixOf({}, "protocol=linux-4.8,linux-5.13");
    expect(plans.map(({ configuration }) => configuration.pcid)).toEqual([false, true]);
    expect(() => matrixOf({}, "protocol=linux-4.8", "pcid=true")).toThrow(
      "--set pcid=true: true: linux-4.8 knows no PCID",
    );
  });

  test("leaves out the policies that a protocol cannot have and says why", () => {
    const axes = { protocol: ["linux-4.8", "linux-4.15"], lazyTlb: LAZY_POLICY_NAMES } as const;
    const { plans, notes } = matrixOf({ axes });
    const policiesOf = (protocol: string) =>
      plans.flatMap(({ configuration }) =>
        configuration.protocol === protocol ? [configuration.lazyTlb] : [],
      );
    expect(policiesOf("linux-4.8")).toEqual(["refcounted", "unrefcounted", "eager", "pre-4.15"]);
    const hidden = ["pre-4.15", "shoot-lazies", "exit-unlazy", "hazard-pointer"];
    expect(policiesOf("linux-4.15")).toEqual(
      LAZY_POLICY_NAMES.filter((name) => !hidden.includes(name)),
    );
    expect(notes).toContain(
      "left out protocol=linux-4.15 lazyTlb=exit-unlazy: with PCID a lazy CPU is not in " +
        "mm_cpumask under linux-4.15, and there exit-unlazy looks for it",
    );
    expect(notes.join()).toContain("linux-4.8 must be told what it leaves; null-prev does not");
    expect(notes.join()).toContain("linux-4.8 needs active_mm as it was; exit-unlazy changes it");
  });

  test("refuses pre-4.15 where x86 has loaded_mm", () => {
    expect(() => matrixOf({}, "lazyTlb=pre-4.15")).toThrow(
      '--set lazyTlb=pre-4.15: "pre-4.15": since 4.14 x86 goes by loaded_mm, and',
    );
  });

  test("a cell runs once per seed, counting up and wrapping at 32 bits", () => {
    const [cell] = matrixOf({}).plans;
    expect(runsOf(cell!, 7, 3).map((run) => run.seed)).toEqual([7, 8, 9]);
    expect(runsOf(cell!, 0xffff_ffff, 2).map((run) => run.seed)).toEqual([0xffff_ffff, 0]);
  });
});

describe("a trace", () => {
  test("is called by its file name, and by its path where two have the same name", () => {
    expect(nameTraces(["a/one.txt.gz", "b/two.txt"]).map(({ name }) => name)).toEqual([
      "one",
      "two",
    ]);
    expect(nameTraces(["a/one.txt", "b/one.txt"]).map(({ name }) => name)).toEqual([
      "a/one.txt",
      "b/one.txt",
    ]);
  });

  test("is replayed from its path and gives a row of its own name", () => {
    const [cell] = matrixOf({
      traces: ["a/one.txt.gz"],
      parts: [{ traces: ["a/one.txt.gz"] }],
    }).plans;
    expect(cell?.workload).toBe("one");
    expect(runsOf(cell!, 1, 1)[0]).toMatchObject({ workload: "one", trace: "a/one.txt.gz" });
  });

  test("is replayed on the cores that it was recorded on, unless cores are set", () => {
    const experiment = readExperiment({ traces: ["wide.txt"] }, "x");
    const cpus = new Map([["wide.txt", 64]]);
    const coresOf = (...set: string[]) =>
      expand(experiment, set.map(parseSetting), cpus).plans.map((cell) => cell.configuration.cores);
    expect(coresOf()).toEqual([64]);
    expect(coresOf("cores=96")).toEqual([96]);
  });
});
