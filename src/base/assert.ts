// The third kind of wrong: a broken invariant of this program. Never used for bad input or faults.

/** Throws when an invariant of the program itself is broken; `sentence` states what must hold. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${sentence}`);
}
