// Every axis of a configuration, in one table: what may be written, its default, and what it means.
// `--set AXIS=VALUE[,VALUE]` and experiment files say nothing else. A later axis varies faster.
// `npm run docs:axes` writes the tables of README.md and docs/commands/run.md from it.

import { BadInput, readName, refuseUnknownKeys } from "../base/bad-input.ts";
import { readObject } from "../base/input.ts";
import { BUILT_IN, type Catalogue, type EntryKind } from "../catalogue/catalogue.ts";
import { type X2apic, X2APIC_MODES } from "../kernel/state/kernel-options.ts";
import { MAX_CORES, type PageSize } from "../machine/description.ts";
import type { IdleState } from "../presets/describe.ts";
import type { Configuration, ConfigurationAxis } from "./configuration.ts";
import { hasMwait, hasPcid, hasVmaLocks, knowsPcid } from "./constraints.ts";

export interface Axis<T> {
  /** What the axis is about, in at most 90 characters. */
  readonly summary: string;
  readonly unit?: string;
  /** The values that may be written, for help and remedies. */
  accepts(catalogue: Catalogue): string;
  /** The default as help and docs say it: a value, or the rule that finds one. */
  readonly defaultText: string;
  /** The value where none is given; undefined leaves the axis out of the configuration. */
  defaultFor(chosen: Partial<Configuration>, catalogue: Catalogue): T;
  /** The value that `text` spells, or undefined. */
  read(text: string, catalogue: Catalogue): T | undefined;
  /** The words that may be written, where they can be listed. */
  names?(catalogue: Catalogue): readonly string[];
  /** What its values are names of, where they are of a catalogue. */
  readonly kind?: EntryKind;
}

type AxisTable = { readonly [A in ConfigurationAxis]-?: Axis<Configuration[A]> };

const PAGE_SIZES: readonly PageSize[] = ["4K", "2M", "1G"];
const IDLE_STATES: readonly IdleState[] = ["poll", "mwait", "halt", "c6"];

const MODE_OF: Readonly<Record<string, X2apic>> = {
  ...Object.fromEntries(X2APIC_MODES.map((mode) => [mode, mode])),
  true: "cluster",
  false: "off",
};

const YES_OR_NO = ["true", "false"];

/** A value that is the default under every configuration. */
const always = <T extends string | number | boolean>(value: T) => ({
  defaultText: String(value),
  defaultFor: (): T => value,
});

const yesOrNo = {
  accepts: () => "true or false",
  names: () => YES_OR_NO,
  read: (text: string) => (text === "true" ? true : text === "false" ? false : undefined),
};

const mutationOrNone = {
  accepts: (catalogue: Catalogue) => `one of ${mutationNames(catalogue).join(", ")}`,
  names: mutationNames,
  read: (text: string, catalogue: Catalogue) =>
    mutationNames(catalogue).find((name) => name === text),
  kind: "mutations" as const,
};

export const AXES: AxisTable = {
  cpu: { summary: "CPU preset", ...entry("cpus", "skylake-sp") },
  protocol: { summary: "TLB shootdown protocol", ...entry("protocols", "linux-5.13") },
  coresPerLlc: {
    summary: "cores that share one last-level cache",
    ...undefinedUnlessGiven(wholeNumber({ least: 1, most: MAX_CORES }), "the preset's"),
  },
  llcsPerSocket: {
    summary: "last-level caches in one socket",
    ...undefinedUnlessGiven(wholeNumber({ least: 1, most: MAX_CORES }), "the preset's"),
  },
  cores: {
    summary: "emulated cores",
    unit: "cores",
    ...wholeNumber({ least: 1, most: MAX_CORES }),
    ...always(2),
  },
  pages: {
    summary: "pages that one mmap, munmap, mprotect, madvise or vmalloc covers",
    unit: "pages",
    ...wholeNumber({ least: 1, most: 1_048_576 }),
    ...always(8),
  },
  pageSize: {
    summary: "how large those pages are: 2M and 1G as with MAP_HUGETLB",
    ...undefinedUnlessGiven(oneOf(PAGE_SIZES, "4K"), "4K"),
  },
  rounds: {
    summary: "measured repetitions of the workload's operation",
    ...wholeNumber({ least: 1, most: 1_000_000 }),
    ...always(100),
  },
  flushCeiling: {
    summary: "tlb_single_page_flush_ceiling: more pages than this are flushed as a whole",
    unit: "pages",
    ...wholeNumber({ least: 0, most: 65_536 }),
    ...always(33),
  },
  x2apic: {
    summary: "x2APIC destinations: clusters of 16, or one CPU a write; off: xAPIC",
    ...undefinedUnlessGiven(oneOf(X2APIC_MODES, "cluster"), "cluster"),
    accepts: () => `one of ${X2APIC_MODES.join(", ")} (true is cluster, false is off)`,
    read: (text: string) => MODE_OF[text],
  },
  ipiShorthand: {
    summary: "one ICR write where all other CPUs are interrupted",
    ...undefinedUnlessGiven(yesOrNo, "false"),
  },
  idle: {
    summary: "how an idle core waits",
    ...oneOf(IDLE_STATES, "mwait"),
    defaultText: "mwait, or halt in a guest without MWAIT",
    defaultFor: ({ protocol }, catalogue) => (hasMwait(catalogue, protocol) ? "mwait" : "halt"),
  },
  pcid: {
    summary: "CR4.PCIDE: address spaces keep their translations over a switch",
    ...yesOrNo,
    defaultText: "true where the CPU and the protocol have PCID",
    defaultFor: ({ cpu = "skylake-sp", protocol }, catalogue) =>
      hasPcid(catalogue, cpu) && knowsPcid(catalogue, protocol),
  },
  invpcid: {
    summary: "whether the kernel uses INVPCID",
    ...undefinedUnlessGiven(yesOrNo, "true where the CPU has it"),
  },
  pti: {
    summary: "page-table isolation: user mode on a root and a PCID of its own",
    ...undefinedUnlessGiven(yesOrNo, "false"),
  },
  invlpgb: {
    summary: "INVLPGB: flushes of busy address spaces are broadcast, without interrupts",
    ...yesOrNo,
    ...always(false),
  },
  vmaLocks: {
    summary: "per-VMA locks: faults and madvise lock their area, not the mm",
    ...yesOrNo,
    defaultText: "true where the protocol's Linux has them",
    defaultFor: ({ protocol }, catalogue) => hasVmaLocks(catalogue, protocol),
  },
  lazyTlb: { summary: "lazy-TLB policy", ...entry("policies", "refcounted") },
  mutation: {
    summary: "the mutation: one way in which the kernel is wrong",
    ...undefinedUnlessGiven(mutationOrNone, "none"),
  },
};

export const AXIS_NAMES = Object.keys(AXES) as readonly ConfigurationAxis[];

/** The value of `axis` that `value` (from a command line or a file) stands for. */
export function readAxisValue<A extends ConfigurationAxis>(
  axis: A,
  value: unknown,
  path: string,
  catalogue: Catalogue = BUILT_IN,
): NonNullable<Configuration[A]> {
  const entry: Axis<unknown> = AXES[axis];
  const written = typeof value === "string" ? value.trim() : value;
  const plain = ["string", "number", "boolean"].includes(typeof written);
  const result = plain ? entry.read(String(written), catalogue) : undefined;
  if (result === undefined) {
    const names = typeof written === "string" ? entry.names?.(catalogue) : undefined;
    if (names !== undefined && names !== YES_OR_NO) readName(path, written, names);
    throw new BadInput(path, value, `${axis} is ${entry.accepts(catalogue)}`);
  }
  return result as NonNullable<Configuration[A]>;
}

/** A value on every axis: what was chosen, and the defaults for the rest. */
export function completeConfiguration(
  chosen: Partial<Configuration>,
  catalogue: Catalogue = BUILT_IN,
): Configuration {
  refuseUnknownKeys(readObject("configuration", chosen), AXIS_NAMES, "configuration");
  const complete: Record<string, unknown> = {};
  for (const axis of AXIS_NAMES) {
    const value = chosen[axis] ?? AXES[axis].defaultFor(chosen, catalogue);
    if (value !== undefined) complete[axis] = value;
  }
  return complete as unknown as Configuration;
}

function mutationNames({ mutations }: Catalogue): readonly string[] {
  return ["none", ...mutations.keys()];
}

/** A name of the catalogue. */
function entry(kind: EntryKind, first: string) {
  const names = (catalogue: Catalogue): readonly string[] => [...catalogue[kind].keys()];
  return {
    accepts: (catalogue: Catalogue) => `one of ${names(catalogue).join(", ")}`,
    names,
    ...always(first),
    read: (text: string, catalogue: Catalogue): string | undefined =>
      catalogue[kind].has(text) ? text : undefined,
    kind,
  };
}

function oneOf<T extends string>(names: readonly T[], first: T) {
  return {
    accepts: () => `one of ${names.join(", ")}`,
    names: () => names,
    ...always(first),
    read: (text: string): T | undefined => names.find((name) => name === text),
  };
}

function wholeNumber({ least, most }: { least: number; most: number }) {
  return {
    accepts: () => `a whole number of ${least} to ${most}`,
    read(text: string): number | undefined {
      const value = Number(text);
      return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined;
    },
  };
}

/** Left to the preset or to the kernel where no value is given; `defaultText` says what that is. */
function undefinedUnlessGiven<T>(reader: T, defaultText: string) {
  return { ...reader, defaultText, defaultFor: (): undefined => undefined };
}
