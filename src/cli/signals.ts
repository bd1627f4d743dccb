// Ctrl-C and kill: the first ends what is under way in good order, the second at once.

import { constants } from "node:os";
import process from "node:process";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What a shell says of a process that a signal ended: 128 and its number. */
const EXIT_CODE_OF_SIGNAL = 128;

export interface Signals {
  /** Raised by the first signal. */
  readonly signal: AbortSignal;
  /** What to end with after it. */
  readonly exitCode: number;
  /** Signals end the process again. */
  stop(): void;
}

export function untilSignal(): Signals {
  const interrupt = new AbortController();
  let exitCode = 0;
  const end = (name: NodeJS.Signals): void => {
    stop();
    exitCode = EXIT_CODE_OF_SIGNAL + constants.signals[name];
    interrupt.abort();
  };
  const stop = (): void => {
    for (const name of SIGNALS) process.removeListener(name, end);
  };
  for (const name of SIGNALS) process.on(name, end);
  return {
    signal: interrupt.signal,
    get exitCode() {
      return exitCode;
    },
    stop,
  };
}
