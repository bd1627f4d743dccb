// A machine with one address space whose tables and frames are handed out in order.

import {
  addressOfPage,
  type FrameNumber,
  frameNumber,
  pageNumber,
  type VirtualAddress,
} from "../../src/base/address.ts";
import type { AccessKind } from "../../src/base/architecture.ts";
import type { AccessResult } from "../../src/machine/access.ts";
import type { MachineDescription } from "../../src/machine/description.ts";
import { Machine } from "../../src/machine/machine.ts";
import { type Mapping, PageTables } from "../../src/machine/page-table.ts";

export class Space {
  readonly machine: Machine;
  readonly tables: PageTables;
  private nextFrame = 16;

  constructor(description: MachineDescription, machine = new Machine(description)) {
    this.machine = machine;
    this.tables = this.newTables();
    machine.writeCr3(0, { root: this.tables.root, pcid: 0, keep: false });
  }

  newTables(): PageTables {
    return new PageTables(this.machine, () => this.allocate());
  }

  allocate(): FrameNumber {
    return frameNumber(this.nextFrame++);
  }

  /** Maps a page for user reads and writes, unless `change` says otherwise. */
  map(page: number, change: Partial<Mapping> = {}, tables = this.tables): void {
    const frame = frameNumber(0x10_0000 + (page % 2 ** 36));
    const mapping = { frame, user: true, writable: true };
    tables.map(pageNumber(page), { ...mapping, ...change });
  }

  access(page: number, kind: AccessKind = "read", user = true, core = 0): AccessResult {
    return this.machine.access(core, { address: at(page), kind: kind, user: user });
  }

  /** Where the translation of a page came from; what went wrong when there is none. */
  source(page: number, kind: AccessKind = "read", user = true): string {
    const result = this.access(page, kind, user);
    return result.fault ? `fault ${result.fault.errorCode}` : result.source;
  }
}

export const at = (page: number, offset = 0): VirtualAddress =>
  (addressOfPage(pageNumber(page)) + BigInt(offset)) as VirtualAddress;
