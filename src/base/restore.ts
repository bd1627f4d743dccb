// Plain variables at one moment, and the way back to it: for an executor that runs the same code
// many times.

/** Brings back what was saved; may be called again and again. */
export type Restore = () => void;

/** Saves what an array holds, not what its elements do. */
export function saveArray<T>(array: T[]): Restore {
  const saved = [...array];
  return () => {
    while (array.length > saved.length) array.pop();
    for (let index = 0; index < saved.length; index++) array[index] = saved[index]!;
  };
}

/** The same of a set. */
export function saveSet<T>(set: Set<T>): Restore {
  const saved = [...set];
  return () => {
    if (set.size > 0) set.clear();
    for (let index = 0; index < saved.length; index++) set.add(saved[index]!);
  };
}
