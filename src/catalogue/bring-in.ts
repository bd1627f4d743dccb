// From files and values of somebody's own to a catalogue that has them.

import { resolve } from "node:path";
import { BadInput } from "../base/bad-input.ts";
import {
  BUILT_IN,
  type Catalogue,
  type EntryKind,
  extended,
  type Extension,
  isBuiltIn,
} from "./catalogue.ts";
import { CODE_FILES, type CodeFiles, isDataFile } from "./code-file.ts";
import { loadCpu } from "./cpu-file.ts";
import { checkedPart, missingPart, partsOf } from "./parts.ts";
import type { PartKind } from "./shapes.ts";

/** By list of files, for as long as the thread lives. */
const catalogues = new Map<string, Promise<Catalogue>>();

/** The package's catalogue with all that these files have. */
export function catalogueOf(
  files: readonly string[],
  code: CodeFiles = CODE_FILES,
): Promise<Catalogue> {
  if (files.length === 0) return Promise.resolve(BUILT_IN);
  if (code !== CODE_FILES) return loadAll(files, code);
  const key = JSON.stringify(files);
  let catalogue = catalogues.get(key);
  if (catalogue === undefined) catalogues.set(key, (catalogue = loadAll(files, code)));
  return catalogue;
}

async function loadAll(files: readonly string[], code: CodeFiles): Promise<Catalogue> {
  const bringing = new BringingIn(BUILT_IN, code);
  for (const file of files) await bringing.file(file);
  return bringing.catalogue;
}

/** Collects what is brought in, and what each of it is called. */
export class BringingIn {
  catalogue: Catalogue;
  /** By where it is, however it was written. */
  private readonly seen = new Map<string, Extension>();
  private readonly values = new Map<unknown, string>();

  constructor(
    catalogue: Catalogue = BUILT_IN,
    private readonly code: CodeFiles = CODE_FILES,
  ) {
    this.catalogue = catalogue;
  }

  /** Whether something was brought that is in no file: a worker thread cannot have it. */
  get hasValues(): boolean {
    return this.values.size > 0;
  }

  /** What the file has, without bringing it in. */
  async partsIn(path: string): Promise<Extension> {
    if (isDataFile(path)) return { cpus: [loadCpu(path, this.catalogue)] };
    return partsOf(await this.code.exportsOf(path), path);
  }

  /** Brings in all that the file has. */
  async file(path: string): Promise<Extension> {
    const place = resolve(path);
    let extension = this.seen.get(place);
    if (extension === undefined) {
      extension = await this.partsIn(path);
      this.seen.set(place, extension);
      this.catalogue = extended(this.catalogue, extension, path);
      this.catalogue = { ...this.catalogue, files: [...this.catalogue.files, path] };
    }
    return extension;
  }

  /** The names of what the file has of one kind; bad input at `path` where it has none. */
  async namesIn(file: string, kind: PartKind, path: string): Promise<readonly string[]> {
    const found = (await this.file(file))[kind] ?? [];
    if (found.length === 0) throw new BadInput(path, file, missingPart(kind));
    return found.map(({ name }) => name);
  }

  /** A value of the library; its name. */
  value(kind: EntryKind | "checkers", value: unknown, path: string): string {
    const known = this.values.get(value);
    if (known !== undefined) return known;
    const part = checkedPart(kind, value, path);
    if (kind !== "checkers" && isBuiltIn(kind, part)) return part.name;
    this.catalogue = extended(this.catalogue, { [kind]: [part] }, path);
    this.values.set(value, part.name);
    return part.name;
  }
}
