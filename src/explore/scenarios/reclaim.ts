// Reclaim takes a page away and puts the flush off, while the page's owner relies on page tables.

import { mprotect } from "../../kernel/mprotect.ts";
import { call, type Kernel } from "../../kernel/operation.ts";
import { reclaim } from "../../kernel/reclaim.ts";
import type { Scenario } from "../scenario.ts";
import { onePage } from "../stage.ts";

export const reclaimAgainstProtect: Scenario = {
  name: "reclaim-against-protect",
  summary: "a page is reclaimed with its flush put off while its owner protects and uses it",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    stage.switchTo(stage.task(cpu0, "kswapd", null));
    stage.switchTo(stage.task(cpu1, "owner", a));
    const readOnly = { writable: false, executable: false };
    return [
      (cpu) => reclaim(cpu, [{ mm: a, page: onePage().start }]),
      function* (cpu): Kernel {
        yield* call(mprotect(cpu, a, onePage(), readOnly));
        yield* stage.touch("read");
      },
    ];
  },
};

export const reclaimAgainstReader: Scenario = {
  name: "reclaim-against-reader",
  summary: "a page is reclaimed with its flush put off while its owner reads it",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    const a = stage.mm("a");
    stage.switchTo(stage.task(cpu0, "kswapd", null));
    stage.switchTo(stage.task(cpu1, "owner", a));
    return [(cpu) => reclaim(cpu, [{ mm: a, page: onePage().start }]), () => stage.touch("read")];
  },
};
