// The sketch of 15 June 2021: with the option off there is no active_mm, and core code calls
// switch_mm_irqs_off(NULL, next, tsk). x86 goes by its own loaded_mm.

import { switchMm } from "../cpu/switch-mm.ts";
import { noHooks } from "./hooks.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";
import { switchingWithoutActiveMm } from "./without-active-mm.ts";

export const nullPrev: LazyPolicy = {
  name: "null-prev",
  summary: "no active_mm field; core code passes NULL to switch_mm",
  source: "Lutomirski, Re: [PATCH v4 2/4] lazy tlb, 15 June 2021: switch_mm_irqs_off(NULL, ...)",
  lifetime: "the flush that exit_mmap sends to every CPU in mm_cpumask, if anything was mapped",
  expected: "ok",
  ...switchingWithoutActiveMm((cpu, next) => switchMm(cpu, null, next)),
  ...noHooks,
};
