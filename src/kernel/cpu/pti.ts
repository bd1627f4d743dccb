// Page-table isolation (arch/x86/entry/calling.h): user mode runs on a second root, which has the
// user half only, and under a PCID of its own; every way into the kernel and out of it writes CR3.
//
// Unlike Linux, the kernel's root maps user pages executable, and the user's root maps nothing of
// the kernel: the entry code takes no translations.

import { type PageRange, pageAfter } from "../../base/address.ts";
import type { Cpu } from "../state/cpu.ts";
import {
  disableInterrupts,
  enableInterrupts,
  invlpg,
  type KernelCode,
  note,
  writeCr3,
} from "../operation/operation.ts";
import { pcidOfAsid } from "../state/tlb-state.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff, needInterruptsOn, needNothingHeld } from "../operation/precondition.ts";

/** X86_CR3_PTI_PCID_USER_BIT: an address space's user PCID is its kernel PCID with bit 11. */
const USER_PCID = 2048;

/** user_pcid */
export const userPcidOfAsid = (asid: number): number => pcidOfAsid(asid) | USER_PCID;

/**
 * SWITCH_TO_KERNEL_CR3: the first thing on the way in; nothing is flushed where PCIDs tell the two
 * roots apart. Returns whether the CPU came from user mode's root. Interrupts off.
 */
export function* switchToKernelCr3(cpu: Cpu): KernelCode<boolean> {
  const { tlb, kernel } = cpu;
  if (!tlb.onUserRoot) return false;
  yield* needInterruptsOff("SWITCH_TO_KERNEL_CR3");
  const { pcid } = kernel.options;
  yield* writeCr3(tlb.cr3Mm.root, pcid ? pcidOfAsid(tlb.loadedAsid) : 0, pcid);
  tlb.onUserRoot = false;
  return true;
}

/**
 * SWITCH_TO_USER_CR3: the last thing on the way out; flushes the user PCID if a flush was put off
 * until here (user_pcid_flush_mask). Interrupts off.
 */
export function* switchToUserCr3(cpu: Cpu): KernelCode {
  yield* needInterruptsOff("SWITCH_TO_USER_CR3");
  const { tlb, kernel } = cpu;
  const { pcid } = kernel.options;
  const bit = 1 << tlb.loadedAsid;
  const keep = pcid && (tlb.userPcidFlushMask & bit) === 0;
  tlb.userPcidFlushMask &= ~bit;
  if (!keep) tlb.pendingUserFlush = null;
  yield* writeCr3(tlb.cr3Mm.userRoot!, pcid ? userPcidOfAsid(tlb.loadedAsid) : 0, keep);
  tlb.onUserRoot = true;
  if (tlb.pendingUserFlush !== null) yield* flushInContext(cpu, tlb.pendingUserFlush);
}

/** What a flush has put off until the user PCID is the current one, which INVLPG reaches. */
function* flushInContext(cpu: Cpu, { start, end }: PageRange): KernelCode {
  for (let page = start; page < end; page = pageAfter(page, 1)) yield* invlpg(page);
  cpu.tlb.pendingUserFlush = null;
  yield* note({ kind: "userPcidFlushed" });
}

/** The way in from user mode, if this CPU was in it. Returns whether it was. */
export function* enterKernel(cpu: Cpu): KernelCode<boolean> {
  if (!cpu.tlb.onUserRoot) return false;
  yield* needInterruptsOn("enterKernel");
  yield* disableInterrupts();
  yield* switchToKernelCr3(cpu);
  yield* enableInterrupts();
  return true;
}

/** The way out to user mode, for a task that has one. */
export function* leaveKernel(cpu: Cpu): KernelCode {
  const { mm, isKernelThread } = cpu.current;
  if (mm === null || isKernelThread) return;
  yield* needNothingHeld("exit_to_user_mode");
  if (cpu.kernel.options.pti) yield* backToUser(cpu);
}

/** The way back to where enterKernel came from. */
export function* backToUser(cpu: Cpu): KernelCode {
  yield* needInterruptsOn("exit_to_user_mode");
  yield* disableInterrupts();
  yield* switchToUserCr3(cpu);
  yield* enableInterrupts();
}

nameFunctions({
  SWITCH_TO_KERNEL_CR3: switchToKernelCr3,
  SWITCH_TO_USER_CR3: switchToUserCr3,
  flushInContext,
  enterKernel,
  leaveKernel,
  backToUser,
});
