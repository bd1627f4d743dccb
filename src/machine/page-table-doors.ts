// The doors of page tables: what each of their functions takes, and what is in the way of an entry.

import type { FrameNumber, PageNumber } from "../base/address.ts";
import { BadInput } from "../base/bad-input.ts";
import { flag, onlyFields, optional, readFunction, readObject } from "../base/input.ts";
import type { PageSize } from "./description.ts";
import { frame, level, pageSize, word } from "./machine-checks.ts";
import { PageChecks } from "./page-checks.ts";

interface Made {
  readonly machine: unknown;
  readonly allocateFrame: unknown;
  readonly root: unknown;
  readonly userRoot: unknown;
}

/** What tables are made of. */
export function checkTables({ machine, allocateFrame, root, userRoot }: Made): void {
  const { readEntry, writeEntry } = readObject("PageTables(machine)", machine);
  readFunction("PageTables(machine).readEntry", readEntry);
  readFunction("PageTables(machine).writeEntry", writeEntry);
  readFunction("PageTables(allocateFrame)", allocateFrame);
  optional(frame)("PageTables(root)", root);
  if (userRoot !== null) frame("PageTables(userRoot)", userRoot);
}

/** The allocator, and its frames checked. */
export const checkedFrames = (allocateFrame: () => FrameNumber) => (): FrameNumber => {
  const allocated = allocateFrame();
  frame("PageTables(allocateFrame) gives", allocated);
  return allocated;
};

/** What is in the way of an entry of a table of some level: a leaf above, or a table below. */
export type Obstacle = "none" | "larger page" | "table";

const REMEDIES: Readonly<Record<Exclude<Obstacle, "none">, string>> = {
  "larger page": "a page that no larger page covers",
  table: "a page without a table of smaller pages",
};

interface Placed {
  readonly frame: FrameNumber;
  readonly size?: PageSize;
}

/** What the doors have to know of the tables. */
interface Inner {
  readonly machine: { readonly levels: number };
  readonly levelOf: Readonly<Record<PageSize, number>>;
  obstacle(page: PageNumber, level: number): Obstacle;
}

export function tableDoors({ machine, levelOf, obstacle }: Inner) {
  const { page, range } = new PageChecks(machine);
  const size = optional(pageSize);
  const refuse = (found: Obstacle, path: string, at: PageNumber): void => {
    if (found !== "none") throw new BadInput(path, at, REMEDIES[found]);
  };
  const fits = (at: PageNumber, { frame: to, size: as = "4K" }: Placed): void => {
    const step = 512 ** (levelOf[as] - 1);
    const remedy = `a multiple of ${step}, of pages of ${as}`;
    if (to % step !== 0) throw new BadInput("PageTables.map(mapping).frame", to, remedy);
    refuse(obstacle(at, levelOf[as]), "PageTables.map(page)", at);
  };
  const settable = (at: PageNumber, entry: bigint, as: PageSize = "4K"): void => {
    const found = obstacle(at, levelOf[as]);
    // Where a larger page is, there is nothing to clear.
    if (found === "larger page" && entry === 0n) return;
    refuse(found, "PageTables.setEntry(page)", at);
  };
  const reachable = (at: PageNumber, to = 1): void => {
    const found = obstacle(at, to);
    if (found === "larger page") refuse(found, "PageTables.makeTables(page)", at);
  };
  const flags = { writable: flag, user: flag, global: flag, noExecute: flag };
  const options = Object.fromEntries(Object.entries(flags).map(([key, is]) => [key, optional(is)]));
  return {
    map: { arguments: { page, mapping: onlyFields({ frame, size, ...options }) }, together: fits },
    entryAt: { arguments: { page } },
    setEntry: { arguments: { page, entry: word, size }, together: settable },
    makeTables: { arguments: { page, level: optional(level) }, together: reachable },
    shareTop: {
      arguments: {
        other: (path: string, value: unknown): void =>
          frame(`${path}.root`, readObject(path, value)["root"]),
        page,
      },
    },
    addressOfEntry: { arguments: { page } },
    presentPages: { arguments: { range } },
    tablesOf: { arguments: { range, size: pageSize } },
    detach: { arguments: { range, unused: readFunction } },
    detachIfEmpty: { arguments: { table: range } },
  };
}
