// A worker for the pool's test: odd seeds answer later, seed 666 throws, 667 ends the thread,
// 669 never answers.

import { parentPort } from "node:worker_threads";

parentPort.on("message", (run) => {
  if (run.seed === 666) throw new Error("a broken invariant");
  if (run.seed === 667) process.exit(3);
  if (run.seed === 669) return;
  if (run.seed === 668) {
    const badInput = { kind: "bad-input", path: "trace.txt:3", value: "x", remedy: "a number" };
    parentPort.postMessage(badInput);
    return;
  }
  const measurement = { refcountOps: run.seed };
  setTimeout(
    () => parentPort.postMessage({ kind: "measurement", measurement }),
    run.seed % 2 === 0 ? 0 : 10,
  );
});
