// Calls of a contract: as they must be, and against one of its needs.

import type { KernelCode, Operation } from "../../../src/kernel/operation/operation.ts";
import { type Contract, type Given, nothing } from "./contract.ts";
import type { Breach, Need } from "./need.ts";

/** One of the needs of a contract. */
interface Needed {
  readonly need: Need;
  /** The function that is reported. */
  readonly callee: string;
}

export const neededBy = ({ needs }: Contract): readonly Needed[] =>
  Object.entries(needs).flatMap(([callee, needed]) =>
    [needed].flat().map((need: Need) => ({ need, callee })),
  );

/** One way to call against a contract, and what is to be reported of it. */
export interface BrokenCall {
  code(given: Given): KernelCode;
  report(given: Given): string;
}

export const brokenCallsOf = (contract: Contract): readonly BrokenCall[] =>
  neededBy(contract).flatMap(({ need, callee }) =>
    need.breaches.map((breach) => ({
      code: (given) => brokenCall(contract, { need, breach, given }),
      report: (given) =>
        `${breach.invariant}: ${callee} called ${breach.how(given)} on CPU ${given.cpu.id}`,
    })),
  );

function* brokenCall(
  contract: Contract,
  { need, breach, given }: { need: Need; breach: Breach; given: Given },
): KernelCode {
  const { before = nothing, does } = contract;
  yield* before(given);
  const others = neededBy(contract).filter((one) => one.need !== need);
  yield* keeping(others, breach.within(untilTold(does(given)), given), given);
}

/** As it must be called. */
export function* keptCall(contract: Contract, given: Given): KernelCode {
  const { before = nothing, does } = contract;
  yield* before(given);
  yield* keeping(neededBy(contract), does(given), given);
}

function* keeping(needed: readonly Needed[], call: KernelCode<unknown>, given: Given): KernelCode {
  yield* needed.reduce((code, { need }) => need.kept(code, given), call);
}

/** The code up to where it tells that it was called against its contract: the rest may go wrong. */
function* untilTold(code: KernelCode<unknown>, state = { isTold: false }): KernelCode<unknown> {
  let result: unknown;
  while (!state.isTold) {
    const { done, value } = code.next(result);
    if (done === true) return value;
    const operation: Operation = value;
    const isCall = operation.kind === "call";
    result = yield isCall ? { kind: "call", code: untilTold(operation.code, state) } : operation;
    if (operation.kind === "note") state.isTold = operation.notice.kind === "preconditionBroken";
  }
  return undefined;
}
