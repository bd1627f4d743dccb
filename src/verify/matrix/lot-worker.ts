// One worker thread of the judgement of the whole product: takes a lot, answers with what became of
// it.

import { parentPort } from "node:worker_threads";
import { judgeLot, type Lot } from "./lots.ts";

parentPort?.on("message", (lot: Lot) => void answer(lot));

async function answer(lot: Lot): Promise<void> {
  parentPort?.postMessage(await judgeLot(lot));
}
