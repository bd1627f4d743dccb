// What a run's checkers say.

export type Verdict = "ok" | "violation";
