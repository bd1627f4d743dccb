// What a night is made of: kinds of step that take turns. A step is a command of a few minutes, and
// all that it draws follows from the night's seed and from how many of its kind came before.

import { Random } from "../../dist/base/random.js";
import { completeConfiguration } from "../../dist/experiment/axes.js";
import { conflictIn } from "../../dist/experiment/constraints.js";
import { planJobs } from "../../dist/explore/explore-plan.js";
import { fits } from "../../dist/explore/scenarios/scenario.js";
import { SCENARIOS } from "../../dist/explore/scenarios/scenarios.js";
import { PROTOCOL_NAMES, protocols } from "../../dist/kernel/shootdown/protocols.js";
import { everyLot } from "../../dist/verify/matrix/lots.js";

/**
 * Case i of seed s is case 0 of seed s + i: two nights in a row must be so many seeds apart. Seeds
 * have 32 bits, so that nights come round after 1024.
 */
const CASES_PER_NIGHT = 2 ** 22;

/** How much of each kind a busy machine with two cores does in a second, and in one step at most. */
const CASES = { perSecond: 200, most: 50_000 };
const LOTS = { perSecond: 0.1, most: 30 };
const EXPLORE_SECONDS = 300;
/** Mutants are judged in a copy of the project, and first of all that copy as it is. */
const MUTANTS = { perStep: 5, leastSeconds: 900 };

const within = ({ perSecond, most }, seconds) =>
  Math.max(1, Math.min(most, Math.floor(perSecond * seconds)));

/** Random programs: the next seeds of the night. */
function randomPrograms(night) {
  const first = (night * CASES_PER_NIGHT) % 2 ** 32;
  let done = 0;
  return (seconds) => {
    const cases = Math.min(within(CASES, seconds), CASES_PER_NIGHT - done);
    if (cases === 0) return undefined;
    const seed = (first + done) % 2 ** 32;
    done += cases;
    return ["dist/cli/verify-random.js", "--seed", seed, "--cases", cases];
  };
}

/**
 * Every kernel in every workload, a covering array, and then lots of the whole product, which the
 * seed shuffles.
 */
function matrixLots(night) {
  const last = everyLot(night).length;
  const first = ["--kernels", "--cover"];
  let from = 1;
  return (seconds) => {
    const words = ["dist/cli/verify-matrix.js", "--seed", night];
    if (first.length > 0) return [...words, first.shift()];
    if (from > last) return undefined;
    const lots = within(LOTS, seconds);
    words.push("--from", from, "--lots", lots);
    from += lots;
    return words;
  };
}

/** Every scenario under every protocol and every policy that go together, shuffled. */
async function explorations(night) {
  const all = PROTOCOL_NAMES.flatMap((protocol) =>
    SCENARIOS.filter((scenario) => fits(scenario, protocols[protocol])).map(({ name }) =>
      planJobs({ scenarios: [name], protocol }),
    ),
  );
  const jobs = (await Promise.all(all))
    .flatMap((planned) => planned.jobs)
    .filter(({ protocol, policy: lazyTlb }) => {
      return conflictIn(completeConfiguration({ protocol, lazyTlb })) === undefined;
    });
  const random = new Random(night);
  return (seconds) => {
    const [job] = jobs.splice(random.below(Math.max(1, jobs.length)), 1);
    if (job === undefined) return undefined;
    const { name, protocol, policy, memory } = job;
    const time = Math.max(1, Math.min(EXPLORE_SECONDS, Math.floor(seconds)));
    const kernel = ["--protocol", protocol, "--policy", policy, "--memory", memory];
    return ["dist/cli/main.js", "explore", name, ...kernel, "--time", time, "--json"];
  };
}

/** Mutants of no rule in particular, a few more of them at each step. */
function drawnMutants(night) {
  let step = 0;
  return (seconds) => {
    if (seconds < MUTANTS.leastSeconds) return undefined;
    const seed = night * 1000 + step++;
    const drawn = ["--drawn", MUTANTS.perStep, "--only", " => "];
    return ["scripts/mutate.js", "--seed", seed, ...drawn];
  };
}

/** Of each kind a function from the seconds left to the words of its next step, if there is one. */
export const KINDS = {
  random: randomPrograms,
  matrix: matrixLots,
  explore: explorations,
  mutants: drawnMutants,
};

/** The steps of a night, endless but for kinds that have run dry; `secondsLeft` sizes each. */
export async function* stepsOf(night, kinds, secondsLeft) {
  const nexts = await Promise.all(kinds.map((kind) => KINDS[kind](night)));
  for (let isDry = false; !isDry;) {
    isDry = true;
    for (const [index, next] of nexts.entries()) {
      const words = next(secondsLeft());
      if (words === undefined) continue;
      isDry = false;
      yield { kind: kinds[index], words: words.map(String) };
    }
  }
}
