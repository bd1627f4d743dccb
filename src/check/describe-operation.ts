// An operation of the kernel in words, for the last operations of a violation report.

import { hex } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { PastOperation } from "../kernel/operation/event.ts";
import type { Broadcast } from "../machine/broadcast.ts";
import type { Operation } from "../kernel/operation/operation.ts";

/** For example "1840212: locked mm3.mm_count". */
export const describePast = ({ cycle, operation }: PastOperation): string =>
  `${cycle}: ${describeOperation(operation)}`;

/** For example "locked mm3.mm_count". */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case "work":
      return `work ${operation.what} (${operation.cycles} cycles)`;
    case "workUntil":
      return `work until cycle ${operation.cycle}`;
    case "load":
    case "store":
    case "locked":
    case "wait":
    case "queue":
    case "park":
    case "idle":
      return `${operation.kind} ${operation.cell.name}`;
    case "storeOwn":
      return `store ${operation.what}`;
    case "writeCr3":
      return describeCr3(operation);
    case "writeCr4":
      return `MOV CR4 PGE ${operation.globalPages ? 1 : 0}`;
    case "invpcid":
      return `INVPCID type ${operation.type} PCID ${operation.pcid} page ${hex(operation.page)}`;
    case "invlpg":
      return `INVLPG page ${hex(operation.page)}`;
    case "invlpgb":
      return `INVLPGB ${describeBroadcast(operation.what)}`;
    case "invalidateRemotely":
      return describeRemote(operation);
    case "tlbsync":
      return "TLBSYNC";
    case "sendActions":
      return `RAR to CPUs ${operation.targets.map((target) => target.cpu).join(" ")}`;
    case "sendIpi":
      return `IPI vector ${hex(operation.vector)} to CPUs ${operation.targets.join(" ")}`;
    case "interruptFlag":
      return operation.enabled ? "STI" : "CLI";
    case "readEntry":
    case "writeEntry":
    case "exchangeEntry":
    case "updateEntry":
      return `${operation.kind} ${operation.mm.name} page ${hex(operation.page)}`;
    case "readAreas":
    case "changeAreas":
    case "presentPages":
    case "tablesOf":
    case "detachTables":
    case "detachIfEmpty":
      return `${operation.kind} ${operation.mm.name}`;
    case "linkPath": {
      const does = operation.entry === null ? "unlink" : "link";
      return `${does} own path to page ${hex(operation.page)}`;
    }
    case "kernelAccess":
      return `kernel ${operation.write ? "writes" : "reads"} page ${hex(operation.page)}`;
    case "runUser":
      return "user mode";
    case "switchTo":
      return `switch_to ${operation.next.name}`;
    case "fence":
      return "smp_mb";
    case "jiffies":
      return "read jiffies";
    case "endOfInterrupt":
      return "EOI";
    case "call":
      return "call";
    case "preemptVcpu":
    case "resumeVcpu":
      return `${operation.kind} CPU ${operation.cpu.id}`;
    case "note":
      return operation.notice.kind;
    default:
      return unreachable(operation);
  }
}

function describeCr3({ root, pcid, keep }: Extract<Operation, { kind: "writeCr3" }>): string {
  return `MOV CR3 root ${hex(root)} PCID ${pcid}${keep ? " without flush" : ""}`;
}

function describeRemote({ request }: Extract<Operation, { kind: "invalidateRemotely" }>): string {
  const where = request.route === "everywhere" ? "everywhere" : "where it is held";
  return `invalidate ${where}: ${describeBroadcast(request.what)}`;
}

function describeBroadcast(what: Broadcast): string {
  if (!("pcid" in what)) return what.extent;
  if (what.extent === "pcid") return `PCID ${what.pcid}`;
  const { start, end } = what.range;
  return `PCID ${what.pcid} pages ${hex(start)} to ${hex(end)}`;
}
