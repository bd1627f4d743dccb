// The thread in which `shootdown explore` carries out what code from files takes part in. Whoever
// has started it ends it: timers of that code keep nobody waiting.

import { parentPort, workerData } from "node:worker_threads";
import { BadInput, toldBadInput } from "../base/bad-input.ts";
import { carryOut } from "./carry-out.ts";
import { BEATS, type Failed, STOP, type ThreadData } from "./exploration-thread.ts";

const { asked, shared } = workerData as ThreadData;
const cells = new Int32Array(shared);
const interrupt = new AbortController();

parentPort!.on("message", () => interrupt.abort());

try {
  await carryOut(asked, (told) => parentPort!.postMessage(told), {
    signal: interrupt.signal,
    isStopped() {
      Atomics.add(cells, BEATS, 1);
      return Atomics.load(cells, STOP) !== 0;
    },
  });
} catch (error) {
  parentPort!.postMessage(failed(error));
}

function failed(error: unknown): Failed {
  if (error instanceof BadInput) return toldBadInput(error);
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  return { kind: "failure", message, stack };
}
