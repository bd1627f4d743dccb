// In which experiments a known mistake is known to show: there a violation is what a row expects.
// Elsewhere nothing is promised, and "ok" is expected: what goes wrong only in rare orders, or only
// with a store buffer, is for `shootdown explore`.

import type { MutationName } from "../kernel/operation/mutation.ts";
import type { ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { Configuration } from "./configuration.ts";

/** Whether a mistake shows in a workload under a configuration, which has at least two cores. */
type Shows = (configuration: Configuration, workload: string) => boolean;

/** The references on a borrowed mm go through rq->prev_mm. */
const isCounted = ({ lazyTlb }: Configuration): boolean =>
  lazyTlb === "refcounted" || lazyTlb === "pre-4.15";

/** One root for each address space, interrupts for flushes. */
const isPlain = (configuration: Configuration, protocol: ProtocolName): boolean => {
  const { pti = false, invlpgb } = configuration;
  return configuration.protocol === protocol && !pti && !invlpgb;
};

/** An idle CPU stays on the mm, whatever keeps that alive; before C6 it leaves it. */
const sleepsLazily = ({ idle, lazyTlb }: Configuration): boolean =>
  idle !== "c6" && lazyTlb !== "eager";

/** A thread unmaps a page that it alone has faulted in, and uses its successor. */
const UNMAPS_OWN_PAGES = ["munmap", "madvise"];

const KNOWN: { readonly [M in MutationName]?: Shows } = {
  "refcount-dropped-before-switch": isCounted,
  "prev-mm-kept": isCounted,
  "user-pcid-flush-forgotten": ({ pti, pcid }) => pti === true && pcid,
  "cpumask-after-cr3": ({ protocol }) => protocol === "linux-4.8",
  "lazy-leaves-cpumask": ({ protocol, lazyTlb }) =>
    protocol === "linux-4.15" && lazyTlb !== "eager",
  "generation-zero-is-old": (configuration, workload) =>
    workload === "reclaim" && isPlain(configuration, "linux-6.18"),
  "freed-tables-false": (configuration, workload) =>
    workload === "pingpong" && sleepsLazily(configuration) && isPlain(configuration, "linux-6.18"),
  "abis-clear-is-uncached": ({ protocol }, workload) =>
    protocol === "abis" && UNMAPS_OWN_PAGES.includes(workload),
  "freed-tables-under-lazy-cpus": (configuration, workload) =>
    workload === "pingpong" && sleepsLazily(configuration) && isPlain(configuration, "linux-4.20"),
  "unplug-keeps-lazy-mm": (configuration, workload) =>
    workload === "unplug" &&
    sleepsLazily(configuration) &&
    (isPlain(configuration, "linux-5.13") || isPlain(configuration, "linux-6.18")),
};

/** The mistakes that some experiment is known to show. */
export const SHOWN_BY_EXPERIMENTS = Object.keys(KNOWN) as readonly MutationName[];

/** Whether the mistake that `configuration` asks for is known to show in `workload`. */
export function isKnownToShow(configuration: Configuration, workload: string): boolean {
  const { mutation = "none", cores } = configuration;
  if (mutation === "none" || cores < 2) return false;
  return KNOWN[mutation]?.(configuration, workload) ?? false;
}
