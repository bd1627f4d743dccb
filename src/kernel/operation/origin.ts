// Which functions an operation comes from, by the names that Linux gives them. A generator does not
// tell who is suspended in it; while somebody records, every resumption of one is noted instead.
// Names are given beside the functions, so that they outlive a bundler that renames functions.

/** A function that makes kernel code. */
type KernelFunction = (...args: never[]) => Generator<unknown, unknown, unknown>;

/** By what the generators of a function inherit from. */
const names = new WeakMap<object, string>();

/**
 * Gives functions the names by which schedules speak of them: that of the Linux function, or their
 * own where Linux has none. One without a name is passed over.
 */
export function nameFunctions(
  functions: Readonly<Record<string, KernelFunction | readonly KernelFunction[]>>,
): void {
  for (const [name, named] of Object.entries(functions)) {
    const all = [named].flat() as KernelFunction[];
    for (const each of all) names.set(each.prototype as object, name);
  }
}

/** The same for functions of an object, as far as `byKey` has them and they have no name yet. */
export function nameMethods(object: object, byKey: Readonly<Record<string, string>>): void {
  for (const [key, method] of Object.entries(object)) {
    const name = byKey[key];
    const made: unknown = typeof method === "function" ? method.prototype : undefined;
    const isNew = typeof made === "object" && made !== null && !names.has(made);
    if (isNew && name !== undefined) names.set(made, name);
  }
}

/** What all generators inherit from. */
const GENERATOR = Object.getPrototypeOf(function* () {}.prototype) as Generator;

/** Those that are running, outermost first. */
const running: (string | undefined)[] = [];
let origin: readonly (string | undefined)[] = [];
let isYielded = false;

/** Runs `body`, which is synchronous, with recording on. */
export function recordingOrigins<T>(body: () => T): T {
  const { next } = GENERATOR;
  GENERATOR.next = function (this: Generator, ...value: []): IteratorResult<unknown> {
    running.push(names.get(Object.getPrototypeOf(this) as object));
    isYielded = false;
    try {
      const step = next.apply(this, value);
      // The innermost has yielded the operation; those around it only hand it on.
      if (step.done !== true && !isYielded) {
        origin = [...running];
        isYielded = true;
      }
      return step;
    } finally {
      running.pop();
    }
  };
  try {
    return body();
  } finally {
    GENERATOR.next = next;
  }
}

/** The kernel functions in which the last operation was made, innermost first. */
export const lastOrigin = (): readonly string[] =>
  origin.filter((name) => name !== undefined).toReversed();
