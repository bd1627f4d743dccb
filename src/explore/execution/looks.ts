// What checkers look at, as locations: so that the search knows which steps cannot change places
// with an event.

import { unreachable } from "../../base/assert.ts";
import type { Look } from "../../check/checker.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Execution } from "./execution.ts";
import { readTables } from "./user-accesses.ts";

/** Adds what a checker looks at, at an event of `cpu`, to what the step touches. */
export function touchLook(execution: Execution, cpu: Cpu, look: Look): void {
  const { touched, locations, kernel, states } = execution;
  switch (look.kind) {
    case "translations":
      return touched.write(locations.ofTranslations(look.mm));
    case "everyMmsTranslations":
      for (const mm of kernel.liveMms) touched.write(locations.ofTranslations(mm));
      return;
    case "kernelTranslations":
      return touched.write(locations.ofTranslations(kernel.initMm));
    case "tables":
      return readTables(execution, look.mm.root);
    case "everyMmsTables":
      for (const mm of kernel.liveMms) readTables(execution, mm.root);
      return;
    case "cpumask":
      for (const word of look.mm.cpumask.words) touched.read(locations.ofCell(word));
      return;
    case "ownPlace":
      return touched.write(states[cpu.id]!.placeLocation);
    case "everyPlace":
      for (const { placeLocation } of states) touched.read(placeLocation);
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
