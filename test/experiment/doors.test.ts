// What a script hands to the library and no run can be made of: bad input, before anything runs.

import { describe, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { replay } from "../../src/experiment/replay-traces.ts";
import { runExperiment } from "../../src/experiment/run-experiment.ts";
import { bootKernel, simulate } from "../../src/experiment/simulate.ts";
import { describeMachine } from "../../src/presets/describe.ts";
import { presets } from "../../src/presets/presets.ts";
import { verify } from "../../src/verify/vectors/verify-files.ts";
import { fakeMeasure } from "./samples.ts";

/** What is said of bad input; anything else that is thrown fails the test. */
async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
  return "accepted";
}

const TINY = completeConfiguration({ cores: 2, rounds: 1, pages: 1 });
const run = (change: object): never =>
  ({ configuration: TINY, workload: "munmap", seed: 1, ...change }) as never;
const configured = (change: object) => run({ configuration: { ...TINY, ...change } });

describe("simulate refuses", () => {
  test.each<[what: string, run: never, says: string]>([
    ["a run that is none", null as never, "run: null: an object"],
    ["an option that is none", run({ sed: 1 }), 'run: "sed": did you mean seed?'],
    ["a workload that is none", run({ workload: "nope" }), 'run.workload: "nope": one of pingpong'],
    ["no number as a seed", run({ seed: Number.NaN }), "run.seed: NaN: a whole number from 0 to"],
    ["a list of one seed", run({ seed: [2] }), "run.seed: [2]: a whole number"],
    ["a file that is no text", run({ files: [5] }), "run.files[0]: 5: a text"],
    ["no configuration", run({ configuration: null }), "run.configuration: null: an object"],
    ["fewer pages than none", configured({ pages: -5 }), "run.configuration.pages: -5: pages is"],
    ["no pages", configured({ pages: 0 }), "run.configuration.pages: 0: "],
    ["one and a half pages", configured({ pages: 1.5 }), "run.configuration.pages: 1.5: "],
    ["no number of rounds", configured({ rounds: Number.NaN }), "run.configuration.rounds: NaN: "],
    ["rounds as text", configured({ rounds: "1" }), 'run.configuration.rounds: "1": rounds is'],
    ["no protocol", configured({ protocol: undefined }), "run.configuration.protocol: missing: "],
    [
      "a misspelt axis",
      configured({ coers: 2 }),
      'run.configuration: "coers": did you mean cores?',
    ],
    [
      "PCIDs where there are none",
      configured({ cpu: "rome", pcid: true }),
      "run.configuration.pcid: true: rome has no PCID; choose another",
    ],
    [
      "INVLPGB where there is none",
      configured({ invlpgb: true }),
      "run.configuration.invlpgb: true: skylake-sp has no INVLPGB; choose another",
    ],
  ])("%s", async (_what, bad, says) => {
    expect(await messageOf(() => simulate(bad))).toContain(says);
  });

  test("nothing of a run that is right", async () => {
    expect(await messageOf(() => simulate(run({})))).toBe("accepted");
  });
});

const measure = fakeMeasure;

describe("the library refuses", () => {
  test.each<[what: string, call: () => unknown, says: string]>([
    ["to boot what is not complete", () => bootKernel({} as never), "configuration.cpu: missing: "],
    [
      "to complete what is no configuration",
      () => completeConfiguration({ coers: 2 } as never),
      'configuration: "coers": did you mean cores?',
    ],
    [
      "options that are none",
      () => runExperiment("munmap", null as never),
      "options: null: an obj",
    ],
    [
      "a misspelt option",
      () => runExperiment("munmap", { bogus: 1 } as never),
      'options: "bogus": did you mean cpus? one of seed, ',
    ],
    [
      "a list of one count of workers",
      () => runExperiment("munmap", { workers: [2] as never, measure }),
      "workers: [2]: a whole number of 1 to 256",
    ],
    [
      "checks that are perhaps on",
      () => runExperiment("munmap", { checks: "no" as never, measure }),
      'checks: "no": true or false',
    ],
    [
      "a listener that does not listen",
      () => runExperiment("munmap", { onNote: 5 as never, measure }),
      "onNote: 5: a function",
    ],
    ["no traces", () => replay(null as never), "experiment: traces[0]: null: the path of"],
    ["to verify no file", () => verify(null as never), "paths[0]: null: the path of a file"],
    ["no number of failures", () => verify([], { failures: Number.NaN }), "failures: NaN: a whole"],
    [
      "a misspelt option of verify",
      () => verify([], { faliures: 1 } as never),
      'options: "faliures": did you mean failures?',
    ],
    [
      "an idle state that is none",
      () => describeMachine(presets.rome, { cores: 2, idle: "deep" as never }),
      'options.idle: "deep": one of poll, mwait, halt, c6',
    ],
    [
      "a preset by its name",
      () => describeMachine("rome" as never, { cores: 2 }),
      'preset: "rome": an object',
    ],
  ])("%s", async (_what, call, says) => {
    expect(await messageOf(call)).toContain(says);
  });
});
