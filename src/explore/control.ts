// A part of an exploration, and samples of it once more where code from outside takes part: each in
// a kernel of its own, with the files loaded anew. What the code kept for itself from one execution
// to the next, where it must keep nothing, it does not have there.

import { BadInput } from "../base/bad-input.ts";
import type { ScenarioSystem } from "./execution/scenario-system.ts";
import type { Account } from "./execution/witness.ts";
import { explorePart, type Part, type PartResult } from "./search/part.ts";
import type { Limits } from "./search/search.ts";
import { Choices } from "./search/system.ts";

/** The same scenario under the same kernel, as if nothing had run. */
export type Afresh = () => Promise<ScenarioSystem>;

/** @param isEnough - asked after each execution, whether to end there */
export async function exploreAndControl(
  system: ScenarioSystem,
  part: Part,
  limits: Limits,
  { afresh, isEnough }: { readonly afresh: Afresh; readonly isEnough: () => boolean },
): Promise<PartResult> {
  const { locations, witness } = system.executor;
  if (witness === null) return explorePart(system, locations, part, limits, isEnough);
  const samples: Account[] = [];
  const account = (): Account => witness.account(system.failed);
  witness.expect(null);
  checkPath(system, part);
  let ended = 0;
  let hasFailed = false;
  const result = explorePart(system, locations, part, limits, () => {
    ended++;
    if (isSampled(part, ended) || (system.failed && !hasFailed)) samples.push(account());
    hasFailed ||= system.failed;
    return isEnough();
  });
  // What was taken for private is explored anew, and this is not counted.
  if (locations.grew && !hasFailed) return result;
  if (isControlled(part)) samples.push(account());
  for (const sample of samples) runAgain(await afresh(), sample, part);
  return result;
}

/** Where the exploration begins, the first executions, and fewer and fewer of those after them. */
const isSampled = ({ index }: Part, ended: number): boolean =>
  index === 0 && (ended & (ended - 1)) === 0;

/** Whether the last execution of a part is one too: what is long is not to take twice as long. */
const isControlled = ({ index }: Part): boolean => index < 16 || index % 8 === 0;

/** The steps before the part, which another thread may have taken. */
function checkPath(system: ScenarioSystem, { shared, path }: Part): void {
  system.executor.locations.begin(shared);
  system.restart();
  for (const [index, { process, choices, enabled }] of path.entries()) {
    if (system.enabled() !== enabled) {
      const remedy = "does not go as on another thread: keep state in cells, take no chance";
      throw new BadInput(system.name, `step ${index + 1}`, remedy);
    }
    system.step(process, new Choices(choices));
  }
}

/** Bad input where the same order of steps does not come to the same. */
function runAgain(system: ScenarioSystem, sample: Account, { shared }: Part): void {
  const { locations, witness } = system.executor;
  locations.begin(shared);
  witness!.expect(sample);
  system.restart();
  for (const { process, choices } of sample.steps) {
    system.repeat(process, new Choices(choices));
  }
  if (!system.failed && system.enabled() === 0) system.finish();
  witness!.end(system.failed, sample);
}
