// The legal judgement: programs that change tables and registers without any invalidation. SDM 3A
// 4.10: a processor may use any translation, and any entry of the paging-structure caches, that a
// walk could have made at any time since the last operation that drops it. The rule:
//
//   An outcome is legal if there is a walk whose every entry was read in some moment, each no
//   earlier than the one above it; in those moments one PCID was current; what each entry said was
//   not dropped from the structure caches before the next was read; and either the walk maps a
//   page, and its translation (global, or of the current PCID) was not dropped since, or it ends
//   now, at an entry that is not present or has a reserved bit. Rights, keys and error codes are
//   those of the registers now, PDPTE registers those of the moment in which they are followed.
//   Without paging, or for an address that is not canonical, there is no choice.
//
// More is accepted than any one processor does: walks may be made at any time for any address.
// Instructions that change registers have no choice. Of A and D, only this is judged: they are set
// in entries that the access may use, D in leaves of writes; nothing else is changed; and the leaf
// that a translation must have come from has A, and D after a write, at the latest now.

import type { Access, AccessOutcome, ControlInstruction, Fault } from "../../base/architecture.ts";
import { writeControl } from "../../reference/control.ts";
import { faultOfInvpcid } from "../../reference/invalidate.ts";
import type { ReadPhysical } from "../../reference/memory.ts";
import type { Processor } from "../../reference/registers.ts";
import { spanOf } from "../../reference/span.ts";
import { flagsSet } from "./flags.ts";
import { History } from "./entry-history.ts";
import { invalidationOf, ofPageFault } from "./invalidation.ts";
import { type Possible, possible } from "./possible.ts";
import type { Finding, Program } from "./random-program.ts";
import { describeOutcome } from "./program-text.ts";

const PAGE_FAULT = 14;

/** Follows a program from its first moment, and says what is legal in each. */
export class Legality {
  private readonly history: History;

  /** `read` sees the memory of the engine that is judged. */
  constructor(
    program: Pick<Program, "features" | "registers">,
    private readonly read: ReadPhysical,
  ) {
    this.history = new History({ ...program, pdptes: [0n, 0n, 0n, 0n] });
  }

  get processor(): Processor {
    return this.history.current.processor;
  }

  /** An entry is there from the beginning. */
  begin(address: bigint): void {
    this.history.record(address & ~7n, this.read(address & ~7n, 8));
  }

  /** Software has written to the word at an address. */
  wrote(address: bigint): void {
    this.history.begin(this.processor);
    this.history.record(address & ~7n, this.read(address & ~7n, 8));
  }

  /** The fault that an instruction must have; unless it has one, it has been executed. */
  execute(instruction: ControlInstruction): Fault | undefined {
    const before = this.processor;
    let after = before;
    if (instruction.kind === "invpcid") {
      const fault = faultOfInvpcid(before, instruction);
      if (fault !== undefined) return fault;
    } else if (instruction.kind === "write") {
      const { register, value } = instruction;
      const written = writeControl(register, { processor: before, value, read: this.read });
      if (written.fault !== undefined) return written.fault;
      after = written.processor;
    }
    this.history.begin(after, invalidationOf({ before, after, instruction }));
    return undefined;
  }

  /** Judges an access that the engine has just made, and takes in what it did to memory. */
  judge(access: Access, actual: AccessOutcome): Finding | undefined {
    const span = spanOf(this.processor.registers, access);
    const pages =
      span.fault === undefined
        ? span.addresses.map((address) => possible(this.history, access, address))
        : [];
    const legal = span.fault === undefined ? outcomesOf(pages) : [{ fault: span.fault }];
    const seen = describeOutcome(actual);
    const allowed = new Set(legal.map(describeOutcome));
    if (!allowed.has(seen)) return { expected: [...allowed].join(", or "), actual: seen };
    return this.follow(access, actual, pages);
  }

  private follow(
    access: Access,
    actual: AccessOutcome,
    pages: readonly Possible[],
  ): Finding | undefined {
    const changed = this.changedWords();
    const illegal = flagsSet(this.history, { access, actual, pages, changed, read: this.read });
    if (illegal !== undefined) return illegal;
    const { processor } = this;
    const cr2 = actual.fault?.vector === PAGE_FAULT ? actual.fault.address : undefined;
    if (changed.size === 0 && cr2 === undefined) return undefined;
    this.history.begin(processor, cr2 === undefined ? undefined : ofPageFault(processor, cr2));
    for (const [address, value] of changed) this.history.record(address, value);
    return undefined;
  }

  private changedWords(): ReadonlyMap<bigint, bigint> {
    const changed = new Map<bigint, bigint>();
    for (const [address, before] of this.history.current64()) {
      const value = this.read(address, 8);
      if (value !== before) changed.set(address, value);
    }
    return changed;
  }
}

/** Of an access to one page or two: that of the first, unless both are reached. */
function outcomesOf([first, second]: readonly Possible[]): readonly AccessOutcome[] {
  const faults = first!.faults.map((fault) => ({ fault }));
  if (second === undefined)
    return [...faults, ...first!.reached.map(({ physical }) => ({ reached: { physical } }))];
  if (first!.reached.length === 0) return faults;
  const both = first!.reached.flatMap(({ physical }) =>
    second.reached.map((next) => ({ reached: { physical, secondPhysical: next.physical } })),
  );
  return [...faults, ...second.faults.map((fault) => ({ fault })), ...both];
}
