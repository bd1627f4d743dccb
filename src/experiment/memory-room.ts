// Whether a machine has room for a workload's memory: emulated memory is backed only where
// something is written, but addresses end where the CPU's do, and those of user space.

import { FIRST_GIGANTIC } from "../kernel/state/frames.ts";
import { GIGANTIC_BASE, MMAP_BASE } from "../kernel/memory/mmap.ts";
import { STACK } from "../kernel/process/fork.ts";
import { pagesPer } from "../machine/page-table.ts";
import type { Preset } from "../presets/preset.ts";
import type { Configuration } from "./configuration.ts";

/** fork-exit has most: on each core what is covered and what else is inherited, and a copy. */
const gigabytesFor = ({ pages, cores }: Configuration): number => (2 * pages + 16) * cores;

/** Whether pages of 1 GiB do not fit. */
export function isTooManyGigabytes(
  configuration: Configuration & { readonly preset: Preset },
): boolean {
  const { preset, pageSize } = configuration;
  if (pageSize !== "1G") return false;
  const bits = preset.physicalAddressBits.value;
  const [physical, virtual] = [2 ** (bits - 12) - FIRST_GIGANTIC, STACK.start - GIGANTIC_BASE];
  const room = Math.floor(Math.min(physical, virtual) / pagesPer("1G"));
  return gigabytesFor(configuration) > room;
}

/**
 * Whether smaller pages do not fit where mmap looks. tlb-flush2 has most there: those of all cores.
 */
export function isTooManyPages({ pages, pageSize = "4K", cores }: Configuration): boolean {
  if (pageSize === "1G") return false;
  return (pages + 16) * pagesPer(pageSize) * cores > STACK.start - MMAP_BASE;
}
