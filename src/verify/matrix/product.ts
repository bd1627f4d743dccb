// Every combination of the axes that may change a verdict, at small size, from the tables of axes,
// protocols, policies and presets. What is refused is left out; what differs only in options that
// the kernel did not look at is one run.

import { BUILT_IN } from "../../catalogue/catalogue.ts";
import { PRESET_NAMES, type PresetName } from "../../presets/presets.ts";
import { AXES, completeConfiguration } from "../../experiment/axes.ts";
import type { Configuration } from "../../experiment/configuration.ts";
import { conflictIn } from "../../experiment/constraints.ts";
import { combinations } from "../../experiment/matrix.ts";
import type { Setting } from "../../experiment/settings.ts";

/** Options of the kernel that are read where they are needed, and often are not. */
export const QUIET_AXES = ["invpcid", "flushCeiling"] as const;

/** What a kernel is, as far as flushes go. */
export const KERNEL_AXES = ["protocol", "lazyTlb", "pcid", "pti", "invlpgb"] as const;

/** What it runs on, how large its pages are, and which locks guard them. */
export const SIDE_AXES = ["x2apic", "ipiShorthand", "idle", "pageSize", "vmaLocks"] as const;

/** Axes that say how large a run is, how many caches the machine has, and a wrong kernel. */
export const FIXED_AXES = [
  ...(["cores", "pages", "rounds"] as const),
  ...(["coresPerLlc", "llcsPerSocket", "mutation"] as const),
];

export type VariedAxis =
  (typeof QUIET_AXES)[number] | (typeof KERNEL_AXES)[number] | (typeof SIDE_AXES)[number] | "cpu";

/** None of these flushes is ranged; those of one page are; all are. */
const CEILINGS = ["0", "1", "33"];

/** A run with pages of 1 GiB takes 20 times as long: it has a test of its own. */
const PAGE_SIZES = ["4K", "2M"];

/** Every value of an axis that the table of axes names, but those. */
export function valuesOf<A extends VariedAxis>(axis: A): readonly NonNullable<Configuration[A]>[] {
  const { names, read } = AXES[axis];
  const words = axis === "pageSize" ? PAGE_SIZES : (names?.(BUILT_IN) ?? CEILINGS);
  return words.map((name) => read(name, BUILT_IN) as NonNullable<Configuration[A]>);
}

/** As small as can be, for the tests; the whole product, at night, has two rounds. */
export const ONE_ROUND = { rounds: 1 } as const;

/** With INVLPGB as many CPUs as an mm has to be active on before it gets a global ASID, and two. */
const sizeOf = ({ invlpgb = false }: Partial<Configuration>): Partial<Configuration> => ({
  cores: invlpgb ? 6 : 3,
  rounds: 2,
  pages: 2,
});

export const atSmallSize = (chosen: Partial<Configuration>): Configuration =>
  completeConfiguration({ ...sizeOf(chosen), ...chosen });

export const canRun = (configuration: Configuration): boolean =>
  conflictIn(configuration) === undefined;

/** Configurations that differ in quiet axes only. */
export type Family = readonly Configuration[];

const settingOf = (axis: VariedAxis): Pick<Setting, "axis" | "values"> => ({
  axis,
  values: valuesOf(axis),
});

/** The families of a kernel on a CPU: one, or one for each combination of the axes `sides`. */
function familiesOf(
  kernel: Partial<Configuration>,
  { sides, quiet }: { sides: readonly VariedAxis[]; quiet: readonly VariedAxis[] },
): readonly Family[] {
  return combinations(sides.map(settingOf))
    .map((side) =>
      combinations(quiet.map(settingOf))
        .map((values) => atSmallSize({ ...kernel, ...side, ...values }))
        .filter(canRun),
    )
    .filter((family) => family.length > 0);
}

/**
 * Every kernel with INVPCID and without, each on the first CPU of the presets that has what it
 * needs, for one round (two with counted references: some mistakes need a slot that is used
 * again); all else as it is by default.
 */
export function kernelFamilies(): readonly Family[] {
  return combinations(KERNEL_AXES.map(settingOf)).flatMap((kernel) => {
    const rounds = kernel.lazyTlb === "refcounted" ? {} : ONE_ROUND;
    const onCpu = (cpu: PresetName): readonly Family[] =>
      familiesOf({ cpu, ...rounds, ...kernel }, { sides: [], quiet: ["invpcid"] });
    const [most] = PRESET_NAMES.map(onCpu).toSorted((a, b) => sizeOfAll(b) - sizeOfAll(a));
    return most!;
  });
}

const sizeOfAll = (families: readonly Family[]): number => families.flat().length;

/** Every kernel on every CPU, possible or not: a lot of the whole product each. */
export const everyKernel = (): readonly Partial<Configuration>[] =>
  combinations(["cpu" as const, ...KERNEL_AXES].map(settingOf));

/** Whatever else may vary for such a kernel. */
export const familiesOfLot = (kernel: Partial<Configuration>): readonly Family[] =>
  familiesOf(kernel, { sides: SIDE_AXES, quiet: QUIET_AXES });
