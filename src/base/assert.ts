// The third kind of wrong: a broken invariant of this program. Never used for bad input or faults.

/** Throws when an invariant of the program itself is broken; `sentence` states what must hold. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${sentence}`);
}

/** Ends a switch that has a case for everything: what one place forgets does not compile. */
export function unreachable(forgotten: never): never {
  const { kind } = Object(forgotten) as { readonly kind?: unknown };
  throw new Error(`invariant broken: every kind has a case, ${String(kind ?? forgotten)} has none`);
}
