// Kernels that are known to break without any mistake: declared in the scenario, as narrowly as
// they break, and then nothing that fails a command.

import { BUILT_IN } from "../../../src/catalogue/catalogue.ts";
import { describe, expect, test } from "vitest";
import { type ExploreJob } from "../../../src/explore/explore-job.ts";
import { exploreJob, expectedOf, isAsExpected } from "../../../src/explore/scenario-result.ts";
import { scenarioNamed, SCENARIOS } from "../../../src/explore/scenarios/scenarios.ts";
import { PROTOCOL_NAMES } from "../../../src/kernel/shootdown/protocols.ts";
import { shootdown } from "../../cli/command.ts";

const catalogue = BUILT_IN;

const SMALL = ["exit-unmapped-while-lazy", "kthread-against-exit", "text-poke-while-lazy"];
const POLICIES = ["refcounted", "null-prev", "shoot-lazies", "hazard-pointer", "eager"] as const;
const SWITCHING = "unmap-against-switch";
const FORGETTING = ["discards-of-one-page", "discards-in-two-tables"];
const RECLAIMING = [
  "reclaim-against-protect",
  "reclaim-against-two-tables",
  "reclaim-against-reader",
];
const EUROSYS_20 = [
  "early-ack",
  "fewer-lines",
  "in-context-flush",
  "copy-without-flush",
  "batched-syscalls",
  "eurosys-20",
];
const ERAS = ["linux-4.8", "linux-4.15", "linux-4.20", "linux-5.13", "kvm-pv"] as const;

const jobOf = (
  name: string,
  protocol: ExploreJob["protocol"],
  policy: ExploreJob["policy"],
): ExploreJob => ({
  name,
  policy,
  protocol,
  mutation: "none",
  memory: "sc",
});

describe.each([...ERAS, "abis", "always-full", "freebsd", "latr"] as const)(
  "under %s",
  (protocol) => {
    test.each(SMALL)("%s breaks where that is declared, and nowhere else", async (name) => {
      for (const policy of POLICIES) {
        const result = await exploreJob(jobOf(name, protocol, policy), {});
        const found = result.violations.map(({ invariant }) => invariant);
        expect(isAsExpected(result), `${policy}: ${found.join()}, ${result.reason}`).toBe(true);
      }
    });
  },
);

test("a kernel whose CPUs are never lazy breaks by its protocol alone", () => {
  const breaking = (protocol: ExploreJob["protocol"]): string[] =>
    SCENARIOS.filter((scenario) => {
      const job = jobOf(scenario.name, protocol, "eager");
      return expectedOf(job, { scenario, catalogue }) === "violation";
    }).map(({ name }) => name);
  const ofEra = ["linux-4.15", "linux-4.20", "linux-5.13", "kvm-pv", "latr", ...EUROSYS_20];
  for (const protocol of PROTOCOL_NAMES) {
    if (["linux-4.8", "abis"].includes(protocol)) {
      expect(breaking(protocol)).toEqual([
        "discards-of-one-page",
        "discards-in-two-tables",
        "reclaim-against-protect",
        "reclaim-against-two-tables",
      ]);
    } else if (ofEra.includes(protocol)) {
      expect(breaking(protocol)).toEqual([SWITCHING, "reclaim-against-two-tables"]);
    } else expect(breaking(protocol)).toEqual(protocol === "freebsd" ? [SWITCHING] : []);
  }
});

test.each(PROTOCOL_NAMES)(
  "%s frees tables while a thread switches away where that is declared, and nowhere else",
  async (protocol) => {
    for (const policy of ["refcounted", "eager"] as const) {
      const result = await exploreJob(jobOf(SWITCHING, protocol, policy), {});
      const found = result.violations.map(({ invariant }) => invariant);
      expect(isAsExpected(result), `${policy}: ${found.join()}`).toBe(true);
    }
  },
);

test.each(["linux-4.8", "linux-4.15", "linux-5.13", "linux-6.18", "abis", "freebsd"] as const)(
  "%s forgets a batch of reclaim where that is declared, and nowhere else",
  async (protocol) => {
    for (const scenario of RECLAIMING) {
      const result = await exploreJob(jobOf(scenario, protocol, "eager"), {});
      const found = result.violations.map(({ invariant }) => invariant);
      expect(isAsExpected(result), `${scenario}: ${found.join()}`).toBe(true);
    }
  },
);

test.each(["linux-4.8", "abis"] as const)(
  "%s forgets what another has discarded and not flushed",
  async (protocol) => {
    for (const scenario of FORGETTING) {
      const { violations } = await exploreJob(jobOf(scenario, protocol, "eager"), {});
      expect(violations.map(({ invariant }) => invariant)).toEqual(["I1"]);
    }
  },
);

test("refcounted breaks with protocols that leave the mask first, and with freebsd", () => {
  const scenario = scenarioNamed("exit-while-lazy");
  const broken = PROTOCOL_NAMES.filter(
    (name) =>
      expectedOf(jobOf(scenario.name, name, "refcounted"), { scenario, catalogue }) === "violation",
  );
  expect(broken).toEqual(expect.arrayContaining(["linux-4.20", "linux-5.13", "kvm-pv", "freebsd"]));
  const clean = ["linux-4.8", "linux-4.15", "linux-6.18", "kvm-pv-6.18", "broadcast"];
  expect(broken.filter((name) => clean.includes(name))).toEqual([]);
});

describe("shootdown explore", () => {
  const shown = ["linux-4.8", "linux-5.13"];
  test.each(shown)("--protocol %s exits 0: what breaks is known", async (protocol) => {
    const scenarios = ["exit-unmapped-while-lazy", "kthread-against-exit"];
    const kernel = ["--protocol", protocol, "--memory", "sc", "--workers", "1"];
    const run = await shootdown("explore", ...scenarios, ...kernel);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/I\d violated, as expected \[1\]/);
    expect(run.stdout).toMatch(/^\[1\] \w+/m);
  });

  test("says why a violation is expected, in the table and as reason", async () => {
    const job = ["explore", "text-poke-while-lazy", "--protocol", "linux-5.13", "--workers", "1"];
    const run = await shootdown(...job, "--policy", "refcounted", "--json");
    const [result] = JSON.parse(run.stdout).scenarios;
    expect(result).toMatchObject({ expected: "violation", violations: [{ invariant: "I2" }] });
    expect(result.reason).toMatch(
      /^switch_mm takes the CPU out of mm_cpumask before it writes CR3/,
    );
    const eager = await shootdown(...job, "--policy", "eager", "--json");
    expect([eager.code, JSON.parse(eager.stdout).scenarios[0]]).toMatchObject([
      0,
      { expected: "ok", reason: null, violations: [], complete: true },
    ]);
  });

  test("exits 1 where a break that is declared does not show", async () => {
    const job = ["explore", "exit-while-lazy", "--protocol", "linux-5.13", "--workers", "1"];
    const run = await shootdown(...job, "--policy", "refcounted", "--max-executions", "1");
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(/no violation, cut by executions, though one was expected/);
  });
});
