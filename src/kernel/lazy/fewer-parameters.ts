// The same with a signature that depends on the policy: switch_mm(next). There is no parameter in
// which a stale pointer could be passed, and core code that tries to does not type-check.

import { switchMmTo } from "../cpu/switch-mm.ts";
import { noHooks } from "./hooks.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";
import { switchingWithoutActiveMm } from "./without-active-mm.ts";

export const fewerParameters: LazyPolicy = {
  name: "fewer-parameters",
  summary: "no active_mm field; switch_mm takes no previous mm at all",
  source: "Lutomirski, Re: [PATCH v4 2/4] lazy tlb, 15 June 2021: switch_mm(fewer parameters)",
  lifetime: "the flush that exit_mmap sends to every CPU in mm_cpumask, if anything was mapped",
  expected: "ok",
  ...switchingWithoutActiveMm(switchMmTo),
  ...noHooks,
};
