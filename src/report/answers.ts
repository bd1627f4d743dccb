// The closing lines: what the rows say about the questions that the project is about. Each line is
// there only where the rows can answer it, and compares rows that differ in one axis alone.

import type { Configuration, ConfigurationAxis } from "../experiment/configuration.ts";
import type { Row } from "../experiment/result.ts";
import { brief, change, ratio } from "./number.ts";

/** will-it-scale context_switch1_threads, 768 threads on a 16-socket 192-core POWER8, before and
 *  after "lazy tlb: shoot lazies, a non-refcounting lazy tlb option" (its commit text). */
const PUBLISHED = { cores: 192, counted: 1e6, uncounted: 118e6 };

/** Lines without line feeds; empty where the rows compare nothing. */
export function answers(rows: readonly Row[]): readonly string[] {
  return [
    ...referenceCount(rows),
    ...saving(rows, {
      axis: "lazyTlb",
      from: "eager",
      to: "refcounted",
      title: "lazy TLB saves (eager -> refcounted)",
    }),
    ...saving(rows, { axis: "pcid", from: false, to: true, title: "PCID saves (off -> on)" }),
    ...verdicts(rows),
  ];
}

/** What a shared atomic at every switch costs, by cores and policy. */
function referenceCount(rows: readonly Row[]): readonly string[] {
  const switching = rows.filter((row) => row.workload === "pingpong");
  const pairs = pairsOf(switching, { axis: "lazyTlb", from: "refcounted" });
  const policies = [...new Set(pairs.map(({ to }) => to.configuration.lazyTlb))];
  const lines = policies.map((policy) => {
    const own = pairs.filter(({ to }) => to.configuration.lazyTlb === policy);
    const points = own.map(({ from, to }) => {
      const times = ratio(to.switchesPerSecond / from.switchesPerSecond);
      return `${to.cores} cores ${brief(to.switchesPerSecond)}/s (x${times})`;
    });
    return `  ${policy}: ${points.join(", ")}`;
  });
  if (lines.length === 0) return [];
  const counted = distinctBy(pairs, ({ from }) => JSON.stringify(from.configuration));
  const base = counted.map(({ from }) => `${from.cores} cores ${brief(from.switchesPerSecond)}/s`);
  const most = Math.max(...pairs.map(({ to }) => to.cores));
  const best = pairs
    .filter(({ to }) => to.cores === most)
    .map(({ from, to }) => to.switchesPerSecond / from.switchesPerSecond)
    .reduce((a, b) => Math.max(a, b));
  const { cores, counted: before, uncounted: after } = PUBLISHED;
  return [
    `pingpong switches per second, refcounted: ${base.join(", ")}; without a shared count:`,
    ...lines,
    `  at ${most} cores the reference count costs a factor of ${ratio(best)}; published for ` +
      `${cores} cores (POWER8): ${brief(before)} -> ${brief(after)}, x${ratio(after / before)}`,
  ];
}

interface Saving {
  readonly axis: ConfigurationAxis;
  readonly from: Configuration[ConfigurationAxis];
  readonly to: Configuration[ConfigurationAxis];
  readonly title: string;
}

/** Changes of cost per workload and core count along one axis. */
function saving(rows: readonly Row[], { axis, from, to, title }: Saving): readonly string[] {
  const pairs = pairsOf(rows, { axis, from, to }).filter((pair) => sound(pair.from, pair.to));
  const points = pairs
    .filter(({ to: { configuration } }) => axis === "lazyTlb" || isMainline(configuration))
    .filter(({ to: { configuration } }) => axis === "pcid" || configuration.pcid || !anyPcid(rows))
    .map((pair) => `${pair.to.workload} at ${pair.to.cores} cores: ${costs(pair)}`);
  return points.length === 0 ? [] : [`${title}:`, ...points.map((point) => `  ${point}`)];
}

function costs({ from, to }: Pair): string {
  const parts = [
    from.shootdowns > 0
      ? `shootdown ${change(from.initiatorCycles.mean, to.initiatorCycles.mean)}`
      : "",
    from.ipis > 0 ? `IPIs ${change(from.ipis, to.ipis)}` : "",
    from.refillCycles > 0 ? `refill cycles ${change(from.refillCycles, to.refillCycles)}` : "",
    from.switchesPerSecond > 0
      ? `switches/s ${change(from.switchesPerSecond, to.switchesPerSecond)}`
      : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

const isMainline = ({ lazyTlb }: Configuration): boolean => lazyTlb === "refcounted";

const anyPcid = (rows: readonly Row[]): boolean => rows.some((row) => row.configuration.pcid);

/** Which rows broke an invariant, and whether that was expected. */
function verdicts(rows: readonly Row[]): readonly string[] {
  const known = rows.filter((row) => row.verdict === "violation" && row.expected === "violation");
  const bad = rows.filter((row) => row.verdict !== row.expected);
  const ok = rows.filter((row) => row.verdict === "ok" && row.expected === "ok").length;
  return [
    `verdicts: ${ok} of ${rows.length} rows ok` +
      (known.length > 0 ? `; ${known.length} broke as expected: ${names(known)}` : "") +
      (bad.length > 0 ? `; NOT AS EXPECTED: ${names(bad)}` : ""),
  ];
}

function names(rows: readonly Row[]): string {
  const each = rows.map((row) => `${row.configuration.lazyTlb} (${row.workload})`);
  return [...new Set(each)].join(", ");
}

interface Pair {
  readonly from: Row;
  readonly to: Row;
}

/** Rows of one workload that differ in `axis` alone, the first of each pair at `from`. */
function pairsOf(
  rows: readonly Row[],
  { axis, from, to }: { axis: ConfigurationAxis; from: unknown; to?: unknown },
): readonly Pair[] {
  return rows
    .filter((row) => row.configuration[axis] === from)
    .flatMap((base) =>
      rows
        .filter(
          (row) =>
            row.configuration[axis] !== from &&
            (to === undefined || row.configuration[axis] === to) &&
            keyWithout(row, axis) === keyWithout(base, axis),
        )
        .map((row) => ({ from: base, to: row })),
    );
}

function keyWithout(row: Row, axis: ConfigurationAxis): string {
  return JSON.stringify([row.workload, { ...row.configuration, [axis]: null }]);
}

function sound(from: Row, to: Row): boolean {
  return from.verdict === "ok" && to.verdict === "ok";
}

function distinctBy<T>(values: readonly T[], key: (value: T) => string): readonly T[] {
  return [...new Map(values.map((value) => [key(value), value])).values()];
}
