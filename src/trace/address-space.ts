// Which task uses which mm, followed along a trace: clone with or without CLONE_VM, execve, exit. A
// task keeps its mm past its exit event, because exit_mm comes later and may sleep.

import type { TraceEvent } from "./event.ts";

/** One mm: a number of its own for every exec and every fork without CLONE_VM. */
export type AddressSpaceId = number & { readonly brand: "AddressSpaceId" };

export class AddressSpaces {
  private readonly byPid = new Map<number, AddressSpaceId>();
  private count = 0;

  /** Undefined for the idle task, kernel threads, and tasks that did nothing in the trace yet. */
  spaceOf(pid: number): AddressSpaceId | undefined {
    return this.byPid.get(pid);
  }

  /** How many address spaces there have been. */
  get spaceCount(): number {
    return this.count;
  }

  /** To be called with every event in order; afterwards `spaceOf` holds for what follows it. */
  observe(event: TraceEvent): void {
    switch (event.kind) {
      case "fork": {
        const parent = this.spaceOrNew(event.parentPid);
        this.byPid.set(event.childPid, event.sharesMm ? parent : this.newSpace());
        return;
      }
      case "exec":
        this.byPid.delete(event.oldPid);
        this.byPid.set(event.pid, this.newSpace());
        return;
      case "pageFault":
        if (event.user) this.spaceOrNew(event.pid);
        return;
      case "mmap":
      case "munmap":
      case "mprotect":
      case "madvise":
      case "mremap":
      case "brk":
        this.spaceOrNew(event.pid);
        return;
      default:
        return;
    }
  }

  private spaceOrNew(pid: number): AddressSpaceId {
    const known = this.byPid.get(pid);
    if (known !== undefined) return known;
    const space = this.newSpace();
    this.byPid.set(pid, space);
    return space;
  }

  private newSpace(): AddressSpaceId {
    return this.count++ as AddressSpaceId;
  }
}
