// What checkers look at, as locations: so that the search knows which steps cannot change places
// with an event.

import { unreachable } from "../../base/assert.ts";
import type { Look } from "../../check/checker.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import { isSmall } from "../../kernel/state/area.ts";
import { type Mm, WHOLE_USER_HALF } from "../../kernel/state/mm.ts";
import type { Execution } from "./execution.ts";
import type { SpeculativeTlb } from "./possible-tlb.ts";
import { isIn, readMappings } from "./user-accesses.ts";

/** Adds what a checker looks at, at an event of `cpu`, to what the step touches. */
export function touchLook(execution: Execution, cpu: Cpu, look: Look): void {
  const { touched, locations, kernel, states } = execution;
  switch (look.kind) {
    case "translations":
      return touched.write(locations.ofTranslations(look.mm));
    case "condemns":
      touched.count(locations.ofTranslations(look.mm));
      if (!look.returned) return touched.read(locations.ofReturns(look.mm));
      return touchReturn(execution, look.mm);
    case "condemnsEveryMms":
      for (const mm of kernel.liveMms) {
        touched.count(locations.ofTranslations(mm));
        touchReturn(execution, mm);
      }
      return;
    case "claims":
      return touchClaim(execution, states[cpu.id]!.tlb);
    case "kernelTranslations":
      return touched.write(locations.ofTranslations(kernel.initMm));
    case "mappings":
      return readMappings(execution, look.mm.root, hasLargePages(look.mm) ? undefined : look.range);
    case "leavesMappings":
      for (const page of execution.pages) {
        if (isIn(look.range, page)) touched.write(locations.ofMapping(look.mm.root, page));
      }
      return;
    case "everyMmsMappings":
      for (const mm of kernel.liveMms) readMappings(execution, mm.root);
      return;
    case "cpumask":
      for (const word of look.mm.cpumask.words) touched.read(locations.ofCell(word));
      return;
    case "ownPlace":
      return touched.write(states[cpu.id]!.placeLocation);
    case "placesOutsideMask":
      for (const { cpu: other, placeLocation } of states) {
        if (isOutsideMask(other, look.mm)) touched.read(placeLocation);
      }
      return;
    case "roots":
      for (const { rootLocation } of states) touched.read(rootLocation);
      return;
    case "tlbs":
      for (const { tlbLocation } of states) touched.read(tlbLocation);
      return;
    case "lifetime":
      return touched.read(locations.ofLifetime(look.mm));
    case "free":
      touched.write(locations.ofLifetime(look.mm));
      for (const cell of look.mm.cells) touched.write(locations.ofCell(cell));
      return;
    default:
      return unreachable(look);
  }
}

/** Two that return do not meet; what they leave behind has the generation of that moment. */
function touchReturn({ touched, locations }: Execution, mm: Mm): void {
  touched.count(locations.ofReturns(mm));
  touched.read(locations.ofCell(mm.tlbGeneration));
}

/** A CPU that holds nothing older cannot claim too much. */
function touchClaim({ touched, locations, kernel, pages }: Execution, tlb: SpeculativeTlb): void {
  if (!pages.some((page) => tlb.mayBeOld(page))) return;
  for (const mm of kernel.liveMms) {
    if (mm.roots.includes(tlb.root)) touched.read(locations.ofTranslations(mm));
  }
}

/** A flush of a part of a large page is one of its entry. */
const hasLargePages = ({ areas }: Mm): boolean => !areas.within(WHOLE_USER_HALF).every(isSmall);

const isOutsideMask = ({ id, kernel }: Cpu, mm: Mm): boolean =>
  mm.roots.includes(kernel.machine.root(id)) && !mm.cpumask.has(id);
