// The closing lines: what the rows say about the questions that the project is about. Each line is
// there only where the rows can answer it, and compares rows that differ in one axis alone.

import type { Configuration, ConfigurationAxis } from "../experiment/configuration.ts";
import { isAsExpected } from "../experiment/row.ts";
import { knownBreakOf } from "../explore/known-breaks.ts";
import type { Row } from "../experiment/result.ts";
import { brief, change, ratio } from "./number.ts";

/** will-it-scale context_switch1_threads, 768 threads on a 16-socket 192-core POWER8, before and
 *  after "lazy tlb: shoot lazies, a non-refcounting lazy tlb option" (its commit text). */
const PUBLISHED = { cores: 192, counted: 1e6, uncounted: 118e6 };

/** Lines without line feeds; empty where the rows compare nothing. */
export function answers(rows: readonly Row[]): readonly string[] {
  return [
    ...referenceCount(rows),
    ...effectOf(rows, {
      title: "what lazy TLB changes (eager -> refcounted):",
      pairs: pairsOf(rows, { axis: "lazyTlb", from: "eager", to: "refcounted" }),
      variant: ({ pcid }) => (pcid ? "" : "without PCID "),
    }),
    ...effectOf(rows, {
      title: "what PCID changes (off -> on):",
      pairs: pairsOf(rows, { axis: "pcid", from: false, to: true }).filter(({ to }) =>
        ["refcounted", "eager"].includes(to.configuration.lazyTlb),
      ),
      variant: ({ lazyTlb }) => `${lazyTlb} `,
    }),
    verdicts(rows),
    ...otherOrders(rows),
  ];
}

/**
 * What a shared atomic at every switch costs, by cores and policy: for each setting of the rest.
 */
function referenceCount(rows: readonly Row[]): readonly string[] {
  const switching = rows.filter((row) => row.workload === "pingpong");
  const settings = [...new Set(switching.map((row) => keyWithout(row, "lazyTlb", "cores")))];
  return settings.flatMap((setting) =>
    referenceCountIn(switching.filter((row) => keyWithout(row, "lazyTlb", "cores") === setting)),
  );
}

function referenceCountIn(rows: readonly Row[]): readonly string[] {
  const pairs = pairsOf(rows, { axis: "lazyTlb", from: "refcounted" });
  if (pairs.length === 0) return [];
  const most = Math.max(...pairs.map(({ to }) => to.cores));
  const gain = ({ from, to }: Pair): number => to.switchesPerSecond / from.switchesPerSecond;
  const best = Math.max(...pairs.filter(({ to }) => to.cores === most).map(gain));
  const rate = (row: Row): string => `${brief(row.switchesPerSecond)}/s at ${row.cores}`;
  const base = [...new Set(pairs.map(({ from }) => from))];
  const policies = [...new Set(pairs.map(({ to }) => to.configuration.lazyTlb))];
  const { cpu, idle, pcid } = rows[0]!.configuration;
  const { cores, counted, uncounted } = PUBLISHED;
  return [
    `pingpong on ${cpu}, idle=${idle}, pcid=${pcid}: switches per second (x: against refcounted)`,
    `  refcounted: ${base.map(rate).join(", ")}`,
    ...policies.map((policy) => {
      const own = pairs.filter(({ to }) => to.configuration.lazyTlb === policy);
      const points = own.map((one) => `${rate(one.to)} (x${ratio(gain(one))})`);
      return `  ${policy}: ${points.join(", ")}`;
    }),
    `  at ${most} cores the best policy without a shared count is x${ratio(best)}; published for ` +
      `${cores} cores (POWER8): ${brief(counted)} -> ${brief(uncounted)}, ` +
      `x${ratio(uncounted / counted)}`,
  ];
}

interface Effect {
  readonly title: string;
  readonly pairs: readonly Pair[];
  /** What tells pairs of one workload apart. */
  variant(configuration: Configuration): string;
}

/** Changes of cost, a line per workload at its most cores; rows that broke tell nothing. */
function effectOf(rows: readonly Row[], { title, pairs, variant }: Effect): readonly string[] {
  const broke = (row: Row): boolean => row.verdict === "violation";
  const sound = pairs.filter(({ from, to }) => !broke(from) && !broke(to));
  const workloads = [...new Set(rows.map((row) => row.workload))];
  const lines = workloads.flatMap((workload) => {
    const own = sound.filter(({ to }) => to.workload === workload);
    const cores = Math.max(...own.map(({ to }) => to.cores));
    const points = own
      .filter(({ to }) => to.cores === cores)
      .map((pair) => `${variant(pair.to.configuration)}${costs(pair)}`);
    return points.length === 0 ? [] : [`  ${workload}, ${cores} cores: ${points.join("; ")}`];
  });
  return lines.length === 0 ? [] : [title, ...lines];
}

const COSTS: readonly (readonly [name: string, value: (row: Row) => number])[] = [
  ["shootdown cycles", (row) => row.initiatorCycles.mean],
  ["IPIs", (row) => row.ipis],
  ["refill cycles", (row) => row.refillCycles],
  ["switches/s", (row) => row.switchesPerSecond],
];

/** The changes that are not nil after rounding; what was not there before has no percentage. */
function costs({ from, to }: Pair): string {
  const changes = COSTS.flatMap(([name, value]) => {
    const [before, after] = [value(from), value(to)];
    if (before === 0 || after === 0) {
      return before === after ? [] : [`${name} ${brief(before)} -> ${brief(after)}`];
    }
    return Math.abs(after / before - 1) < 0.0005 ? [] : [`${name} ${change(before, after)}`];
  });
  return changes.length === 0 ? "nothing" : changes.join(", ");
}

/** Which rows broke an invariant, and whether that was expected. */
function verdicts(rows: readonly Row[]): string {
  const known = rows.filter((row) => row.verdict === "violation" && row.expected === "violation");
  const bad = rows.filter((row) => !isAsExpected(row));
  const unchecked = rows.filter((row) => row.verdict === "unchecked").length;
  const ok = rows.filter((row) => row.verdict === "ok" && row.expected === "ok").length;
  return (
    `verdicts: ${ok} of ${rows.length} rows ok` +
    (unchecked > 0 ? `; ${unchecked} not checked` : "") +
    (known.length > 0 ? `; ${known.length} broke as expected: ${names(known)}` : "") +
    (bad.length > 0 ? `; NOT AS EXPECTED: ${names(bad)}` : "")
  );
}

/** Kernels that pass here, and break in an order of steps that the clock does not make. */
function otherOrders(rows: readonly Row[]): readonly string[] {
  const passed = rows.filter((row) => row.verdict === "ok" && row.expected === "ok");
  const commands = passed.flatMap(({ configuration: { lazyTlb, protocol } }) => {
    const known = knownBreakOf(lazyTlb, protocol);
    if (known === undefined) return [];
    const command = `  shootdown explore ${known.scenario} --protocol ${protocol}`;
    return [known.ofProtocol ? command : `${command} --policy ${lazyTlb}`];
  });
  if (commands.length === 0) return [];
  return ["ok is said of one order of steps; others break these kernels:", ...new Set(commands)];
}

function names(rows: readonly Row[]): string {
  const each = rows.map((row) => `${row.configuration.lazyTlb} (${row.workload})`);
  return [...new Set(each)].join(", ");
}

interface Pair {
  readonly from: Row;
  readonly to: Row;
}

interface Comparison {
  readonly axis: ConfigurationAxis;
  readonly from: unknown;
  /** Any other value unless given. */
  readonly to?: unknown;
}

/** Rows of one workload that differ in `axis` alone, the first of each pair at `from`. */
function pairsOf(rows: readonly Row[], { axis, from, to }: Comparison): readonly Pair[] {
  const isOther = ({ configuration }: Row): boolean =>
    to === undefined ? configuration[axis] !== from : configuration[axis] === to;
  return rows
    .filter((row) => row.configuration[axis] === from)
    .flatMap((base) =>
      rows
        .filter((row) => isOther(row) && keyWithout(row, axis) === keyWithout(base, axis))
        .map((row) => ({ from: base, to: row })),
    );
}

/** What a row is about, but for some axes. */
function keyWithout({ workload, configuration }: Row, ...axes: ConfigurationAxis[]): string {
  const rest = Object.entries(configuration).filter(
    ([axis]) => !axes.includes(axis as ConfigurationAxis),
  );
  return JSON.stringify([workload, rest]);
}
