// Builds dist/machine.wasm: asc compiles without optimising, wasm-opt does the rest. Its inliner gets
// two instructions that asc cannot give: inline what the hot loops call, however large, and leave
// what they call rarely a call, so that the loops stay small enough for registers.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";

const RARELY_CALLED = [
  "access/reportStale access/resolve access/translateUnfit",
  "accesses/makeAny accesses/makeRandom accesses/makeSequence accesses/skip",
  "array/countReplaced array/drop array/fill array/findAmong array/invalidWay",
  "batch/leave batch/runBlock<* batch/runPlainBlock",
  "cache/accessCycles cache/fillLine",
  "fault/addressFault fault/pageFault",
  "geometry/setOfAnyFold",
  "invalidate/invalidateAll invalidate/invalidateContext",
  "large-set/useOfMany",
  "linked/chainOutFurther linked/findFurther",
  "memory/allocate memory/back",
  "registers/derive registers/keyForbids",
  "scan/dropMatching scan/nextValid",
  "second-hit/finish second-hit/finishWalk<*",
  "structure-cache/dropStructures structure-cache/dropStructuresFor",
  "structure-cache/dropStructuresOf",
  "tlb/dropList tlb/dropPage tlb/enter tlb/lookup tlb/reenter",
  "walker/walk",
].flatMap((line) => line.split(" "));

const FEATURES = ["simd", "bulk-memory", "nontrapping-float-to-int", "mutable-globals", "sign-ext"];
const OPTIMISATION = [
  ...FEATURES.map((feature) => `--enable-${feature}`),
  ...RARELY_CALLED.map((name) => `--no-inline=assembly/${name}`),
  "-O4",
  "-O4",
  "--always-inline-max-function-size=1500",
  "--flexible-inline-max-function-size=1500",
  "--one-caller-inline-max-function-size=4000",
];
const NAMED = "dist/machine.named.wasm";

/** wasm-opt says nothing of a name that is not there. */
function checkNames(module) {
  for (const name of RARELY_CALLED) {
    const isThere = module.includes(`assembly/${name.replace("*", "")}`);
    if (!isThere) throw new Error(`scripts/build-wasm.js: no function is called ${name}`);
  }
}

const run = (command, ...words) => execFileSync(command, words, { stdio: "inherit" });

run("asc", "assembly/index.ts", "--target", "release", "--outFile", NAMED);
checkNames(readFileSync(NAMED, "latin1"));
run("wasm-opt", NAMED, "-o", "dist/machine.wasm", ...OPTIMISATION);
rmSync(NAMED);
