// Single accesses: what kind they are in the machine's codes, and its answer in the manual's terms.

import { physicalAddress } from "../base/address.ts";
import type { AccessKind, Fault } from "../base/architecture.ts";
import type { AccessResult, MachineAccess } from "./access.ts";
import type { MachineInstance } from "./wasm.ts";

const SOURCES = ["l1", "l1", "l2", "walk"] as const;
/** What resultSecond says of an access that does not cross a page. */
const NO_SECOND = -1n;
const STACK_FAULT = 12;
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;

export class Accesses {
  private readonly kinds: Readonly<Record<AccessKind, number>>;
  private readonly user: number;
  private readonly lifted: number;
  private readonly stale: number;

  constructor(private readonly instance: MachineInstance) {
    const { constant } = instance;
    this.kinds = {
      read: constant("READ"),
      write: constant("WRITE"),
      execute: constant("EXECUTE"),
    };
    this.user = constant("USER_ACCESS");
    this.lifted = constant("LIFTED");
    this.stale = constant("ACCESS_STALE");
  }

  perform(core: number, access: MachineAccess): AccessResult {
    const { functions } = this.instance;
    const { address, bytes = 1 } = access;
    const addressVector = access.stack === true ? STACK_FAULT : GENERAL_PROTECTION;
    const result = functions.access(core, address, this.codeOf(access), bytes, addressVector);
    if (result === 0) return { fault: this.faultOf(core) };
    const second = functions.resultSecond();
    return {
      physical: physicalAddress(BigInt.asUintN(64, functions.resultPhysical())),
      ...(second !== NO_SECOND && { secondPhysical: physicalAddress(BigInt.asUintN(64, second)) }),
      cycles: functions.resultCycles(),
      source: SOURCES[result & (this.stale - 1)]!,
      stale: result >= this.stale,
    };
  }

  /** SDM 3A 4.6: an implicit access is a supervisor-mode access that RFLAGS.AC does not help. */
  private codeOf({ kind, user, implicit, alignmentCheck }: MachineAccess): number {
    if (implicit === true) return this.kinds[kind];
    if (user) return this.kinds[kind] + this.user;
    return this.kinds[kind] + (alignmentCheck === true ? this.lifted : 0);
  }

  private faultOf(core: number): Fault {
    const { functions } = this.instance;
    const vector = functions.faultVector(core) as Fault["vector"];
    const errorCode = functions.faultErrorCode(core);
    if (vector !== PAGE_FAULT) return { vector, errorCode };
    return { vector, errorCode, address: BigInt.asUintN(64, functions.faultAddress(core)) };
  }
}
