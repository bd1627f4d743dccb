// Linus, January 2022: exit_mmap must interrupt every CPU that has the mm anyway, so let that flush
// end lazy use. Where it did not reach a lazy CPU (nothing was mapped, so nothing was flushed), the
// remaining ones are interrupted before the mm goes.

import { fence } from "../operation/operation.ts";
import { switchingWithActiveMm } from "./active-mm.ts";
import { forgetFlushedMm, shootLazyUsers } from "./end-lazy-use.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";

export const exitUnlazy: LazyPolicy = {
  name: "exit-unlazy",
  summary: "the flush that exit_mmap sends anyway ends lazy use",
  source: "Torvalds, Re: [PATCH 16/23] sched: Use lightweight hazard pointers, 9 January 2022",
  lifetime: "IPI at mm_users == 0",
  expected: "ok",
  traits: { aliveBy: "mask", previousMm: "named", era: "any" },
  lazyReference: "none",
  ...switchingWithActiveMm({ *grab() {}, drop: fence }),
  lazyFlushed: forgetFlushedMm,
  afterExitMmap: shootLazyUsers,
  *beforeFree() {},
};
