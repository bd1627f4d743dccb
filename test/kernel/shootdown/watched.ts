// A protocol whose switches can be looked into: the operations of each are written down, and a test
// may hold a switch up between two of them.

import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { KernelCode, Operation } from "../../../src/kernel/operation/operation.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";

/** For example "load mm.cpumask[0]", "fence", "writeCr3". */
export const wordsFor = (operation: Operation): string =>
  "cell" in operation ? `${operation.kind} ${operation.cell.name}` : operation.kind;

/** Runs after each operation of a switch on `cpu`, which `words` describe. */
export type Hook = (cpu: Cpu, words: string) => KernelCode;

/** `code`, with `hook` after each of its operations. */
export function* watching<T>(
  code: KernelCode<T>,
  hook: (words: string) => KernelCode,
): KernelCode<T> {
  let step = code.next();
  while (step.done !== true) {
    const result: unknown = yield step.value;
    yield* hook(wordsFor(step.value));
    step = code.next(result);
  }
  return step.value;
}

/** `protocol`, with `hook` after each operation of switch_mm_irqs_off. */
export function watchingSwitches(protocol: ShootdownProtocol, hook: Hook): ShootdownProtocol {
  return {
    ...protocol,
    switchMm: (cpu, next) => watching(protocol.switchMm(cpu, next), (words) => hook(cpu, words)),
  };
}
