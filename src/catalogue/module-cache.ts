// The modules that come with files of code from outside, which Node keeps by their paths. What is
// loaded apart runs anew, the files that it imports included: its variables are its own. Packages
// in node_modules are the same for all.

import { createRequire } from "node:module";

export type Modules = Map<string, NodeJS.Module>;

const { cache } = createRequire(import.meta.url);

/** Paths of those that came with files from outside. */
const outside = new Set<string>();

const isInstalled = (path: string): boolean => /[\\/]node_modules[\\/]/.test(path);

function noteNew(before: ReadonlySet<string>): void {
  for (const path of Object.keys(cache)) {
    if (!before.has(path) && !isInstalled(path)) outside.add(path);
  }
}

export async function loadShared<T>(load: () => Promise<T>): Promise<T> {
  const before = new Set(Object.keys(cache));
  try {
    return await load();
  } finally {
    noteNew(before);
  }
}

let turn: Promise<unknown> = Promise.resolve();

/** Loads with `modules` in the place of those that everybody has, and adds to them. */
export function loadApart<T>(modules: Modules, load: () => Promise<T>): Promise<T> {
  const loaded = turn.then(async () => {
    const others = takeOut();
    putIn(modules);
    const before = new Set(Object.keys(cache));
    try {
      return await load();
    } finally {
      noteNew(before);
      for (const [path, module] of takeOut()) modules.set(path, module);
      putIn(others);
    }
  });
  turn = loaded.catch(() => {});
  return loaded;
}

function takeOut(): Modules {
  const taken: Modules = new Map();
  for (const path of outside) {
    const module = cache[path];
    if (module !== undefined) taken.set(path, module);
    delete cache[path];
  }
  return taken;
}

function putIn(modules: Modules): void {
  for (const [path, module] of modules) cache[path] = module;
}
