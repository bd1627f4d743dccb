// Whether a machine has room for a workload's memory in pages of 1 GiB: emulated memory is backed
// only where something is written, but addresses end where the CPU's do.

import { FIRST_GIGANTIC } from "../kernel/frames.ts";
import { GIGANTIC_BASE } from "../kernel/mmap.ts";
import { STACK } from "../kernel/process.ts";
import { pagesPer } from "../machine/page-table.ts";
import { presetNamed } from "../presets/presets.ts";
import type { Configuration } from "./configuration.ts";

/** fork-exit has most: on each core what is covered and what else is inherited, and a copy. */
const gigabytesFor = ({ pages, cores }: Configuration): number => (2 * pages + 16) * cores;

/** Why the pages do not fit, or undefined where they do. */
export function whyTooManyGigabytes(configuration: Configuration): string | undefined {
  const { cpu, pages, cores, pageSize } = configuration;
  if (pageSize !== "1G") return undefined;
  const bits = presetNamed(cpu).physicalAddressBits.value;
  const [physical, virtual] = [2 ** (bits - 12) - FIRST_GIGANTIC, STACK.start - GIGANTIC_BASE];
  const room = Math.floor(Math.min(physical, virtual) / pagesPer("1G"));
  if (gigabytesFor(configuration) <= room) return undefined;
  const what = `${pages} pages of 1 GiB on ${cores} cores`;
  return `${what} are more than the ${room} GiB that there are addresses for`;
}
