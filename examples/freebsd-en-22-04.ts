// A mutation of one's own: advisory FreeBSD-EN-22:04.pcid. pmap_invalidate_range cleared pm_gen,
// by which the other CPUs give up their PCIDs, after the interrupts and not before them: a CPU that
// switches to the pmap in between keeps what its old PCID holds.
//
//   npx shootdown explore --mutation examples/freebsd-en-22-04.ts
//   npx shootdown run two-mms --protocol freebsd --mutation examples/freebsd-en-22-04.ts

import { cpusOf, giveUpPcids, type Mutation, pagesIn, shootDown } from "shootdown/kernel";

/** PMAP_INVLPG_THRESHOLD */
const PAGE_BY_PAGE = 4 * 1024;

export const pmGenAfterIpi: Mutation = {
  name: "pm-gen-after-ipi",
  summary: "FreeBSD marks the PCIDs of other CPUs as given up after it has interrupted them",
  source: "FreeBSD-EN-22:04.pcid, fixed by 3fd989da9118",
  scenario: { name: "discard-against-switch-in", memory: "sc", protocol: "freebsd" },
  protocol: (right) =>
    right.name !== "freebsd"
      ? right
      : {
          ...right,
          *flushRange(cpu, { mm, range }) {
            const pages = pagesIn(range) < PAGE_BY_PAGE ? range : null;
            const mask = yield* cpusOf(mm.cpumask);
            const remote = yield* shootDown(cpu, mask, { mm, range: pages });
            yield* giveUpPcids(cpu, mm);
            return remote;
          },
        },
};
