// What came of a step: "passed", "failed", or "cut" where its time was too short to tell.

/** An exploration that ends by its time has failed only if it found what was not expected. */
function verdictOfExploration(document) {
  for (const { expected, violations, complete } of document.scenarios) {
    const found = violations.length > 0;
    if (found && expected === "ok") return "failed";
    if (!found && !complete) return "cut";
    if (!found && expected === "violation") return "failed";
  }
  return "passed";
}

export function verdictOf({ kind }, { code, stdout }) {
  if (kind !== "explore" || code > 1) return code === 0 ? "passed" : "failed";
  try {
    return verdictOfExploration(JSON.parse(stdout));
  } catch {
    return "failed";
  }
}
