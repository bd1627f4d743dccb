// A folder of a test file's own, which is gone when its tests are over.

import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

export interface Scratch {
  readonly folder: string;
  /** Writes a file into it. Returns its path. */
  file(name: string, content: string | Uint8Array): string;
}

export function scratch(name: string): Scratch {
  const folder = mkdtempSync(join(tmpdir(), `shootdown-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    file(name, content) {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
  };
}

/** A symbolic link that leads to itself. Returns its path. */
export function endlessLink(folder: string, name: string): string {
  const path = join(folder, name);
  symlinkSync(name, path);
  return path;
}
