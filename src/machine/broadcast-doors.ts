// The doors of what a machine does for all of its cores: INVLPGB and TLBSYNC, and invalidations by
// hardware alone.

import { pagesIn } from "../base/address.ts";
import { BadInput, readName } from "../base/bad-input.ts";
import { anything, type Check, choice, fields, flag, optional, readObject } from "../base/input.ts";
import type { Broadcast, Broadcasts } from "./broadcast.ts";
import { type Doors, guard } from "./doors.ts";
import { type GuardedMachine, MachineChecks } from "./machine-checks.ts";
import { pagesPer } from "./page-table.ts";
import type { RemoteInvalidations } from "./remote.ts";
import type { MachineInstance } from "./wasm.ts";

/** 1 GiB: each page of a range is looked for on its own. */
const MOST_PAGES = 2 ** 18;
const NO_INVLPGB = "a machine that has INVLPGB; this one has not";

interface Shared extends GuardedMachine {
  readonly broadcasts: Broadcasts;
  readonly remote: RemoteInvalidations;
}

/** From now on, whoever calls these comes through their doors. */
export function guardShared(machine: Shared, instance: MachineInstance): void {
  const { broadcasts, remote } = machine;
  const checks = new MachineChecks(machine, instance);
  guard(broadcasts, "Machine.broadcasts", broadcastDoors(broadcasts.pageLimit, checks));
  guard(remote, "Machine.remote", remoteDoors(checks));
}

/** By extent what else is said. */
function broadcastCheck({ pcid, range }: MachineChecks): Check {
  const pages: Check = (path, value) => {
    range(path, value);
    const count = pagesIn(value as { readonly start: never; readonly end: never });
    if (count >= 1 && count <= MOST_PAGES) return;
    throw new BadInput(path, value, `1 to ${MOST_PAGES} pages`);
  };
  const pageSize = optional(choice("4K", "2M"));
  const byExtent: Readonly<Record<Broadcast["extent"], Check>> = {
    pages: fields({ extent: anything, pcid, range: pages, pageSize }),
    pagesOfAll: fields({ extent: anything, range: pages }),
    pcid: fields({ extent: anything, pcid }),
    all: fields({ extent: anything }),
    allButGlobals: fields({ extent: anything }),
  };
  const extents = Object.keys(byExtent) as readonly Broadcast["extent"][];
  return (path, value) => {
    const { extent } = readObject(path, value);
    byExtent[readName(`${path}.extent`, extent, extents)](path, value);
  };
}

function broadcastDoors(pageLimit: number, checks: MachineChecks): Doors<Broadcasts> {
  const { core } = checks;
  const isThere = (): void => {
    if (pageLimit === 0) throw new BadInput("Machine.broadcasts", "no INVLPGB", NO_INVLPGB);
  };
  const fits = (_core: number, what: Broadcast): void => {
    isThere();
    if (!("range" in what)) return;
    const { pageSize = "4K" } = what.extent === "pages" ? what : {};
    const path = "Machine.broadcasts.issue(what).range";
    const step = pagesPer(pageSize);
    if (what.range.start % step !== 0 || what.range.end % step !== 0) {
      throw new BadInput(path, what.range, `whole pages of ${pageSize}`);
    }
    if (pagesIn(what.range) / step <= pageLimit) return;
    throw new BadInput(path, what.range, `at most ${pageLimit} pages`);
  };
  return {
    issue: { arguments: { core, what: broadcastCheck(checks) }, together: fits },
    complete: { arguments: { core }, together: isThere },
  };
}

function remoteDoors(checks: MachineChecks): Doors<RemoteInvalidations> {
  const { core, page, pcid } = checks;
  const what = broadcastCheck(checks);
  const request = fields({ what, route: choice("everywhere", "directory"), freedTables: flag });
  return {
    request: { arguments: { core, request } },
    invalidate: { arguments: { core, what } },
    holdsPage: { arguments: { core, pcid, page } },
    deliveryCycles: { arguments: { core, target: core } },
  };
}
