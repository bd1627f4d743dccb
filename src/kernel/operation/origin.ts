// Which functions an operation comes from. Generators tell nothing of who is suspended in them, so
// the operations themselves look at the stack, but only while somebody records.

/** Files of what makes operations, and of what runs others' code under a lock. */
const PLUMBING = /\/((area-|entry-|table-)?operation|origin|page-table-lock)\./;

let isRecording = false;
let stack = "";

/** Called where an operation is made. */
export function markOrigin(): void {
  if (isRecording) stack = new Error("origin").stack ?? "";
}

/** Runs `body` with recording on. */
export function recordingOrigins<T>(body: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  isRecording = true;
  try {
    return body();
  } finally {
    isRecording = false;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The kernel functions in which the last operation was made, innermost first. */
export function lastOrigin(): readonly string[] {
  return [...stack.matchAll(/^ +at (?:async )?(?:\S+\.)?(\w+)(?: \[as \w+\])? \((\S+)\)$/gm)]
    .filter(([, , file]) => /\/kernel\//.test(file!) && !PLUMBING.test(file!))
    .map(([, name]) => name!);
}
