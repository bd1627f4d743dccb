// Experiments for what policies and protocols are known by. docs/claims.md has what came out, with
// the published figures beside it.

import type { NamedExperiment } from "./experiment.ts";

/** 192 CPUs in 16 sockets, as the POWER8 of the patch had. */
const refcountAt192: NamedExperiment = {
  name: "refcount-at-192",
  title: "What the lazy reference count costs where 16 sockets share it",
  axes: { cores: 192, coresPerLlc: 12, rounds: 4, pages: 1 },
  parts: [
    {
      workloads: ["pingpong"],
      axes: { lazyTlb: ["refcounted", "shoot-lazies", "hazard-pointer", "eager"] },
    },
    { workloads: ["two-threads"], axes: { lazyTlb: "refcounted" } },
  ],
};

const lazyCpumask: NamedExperiment = {
  name: "lazy-cpumask",
  title: "What it saves to leave mm_cpumask alone in a switch, private masks and shared ones",
  workloads: ["two-mms", "shared-mms"],
  axes: {
    cpu: "milan",
    cores: [1, 36],
    pages: 1,
    rounds: 40,
    lazyTlb: "refcounted",
    protocol: ["linux-5.13", "linux-6.18"],
  },
};

const lazierTlb: NamedExperiment = {
  name: "lazier-tlb",
  title: "What Linux 4.20 saved by passing lazy CPUs over",
  workloads: ["pingpong", "server"],
  axes: {
    cores: 28,
    rounds: 40,
    lazyTlb: "refcounted",
    pcid: [true, false],
    protocol: ["linux-4.15", "linux-4.20"],
  },
};

const generations: NamedExperiment = {
  name: "generations",
  title: "What Linux 4.14 and 4.15 changed: generations, PCID, and lazy CPUs that leave the mask",
  axes: { lazyTlb: "refcounted" },
  parts: [
    { axes: { pcid: false, protocol: ["linux-4.8", "linux-4.15"] } as const },
    { axes: { pcid: true, protocol: "linux-4.15" } as const },
  ].flatMap(({ axes }) => [
    { workloads: ["two-mms"], axes: { ...axes, cores: 1, pages: [1, 512] } },
    { workloads: ["tlb-flush2"], axes: { ...axes, cores: 8, pages: 256, rounds: 1 } },
    { traces: ["lazy-dontneed"], axes },
  ]),
};

const concurrentFlush: NamedExperiment = {
  name: "concurrent-flush",
  title: "What Linux 5.13 saved by flushing while the interrupts are on their way",
  axes: {
    cpu: "haswell-ep",
    lazyTlb: "refcounted",
    pti: [false, true],
    protocol: ["linux-4.20", "linux-5.13"],
  },
  parts: [
    { workloads: ["madvise"], axes: { cores: [1, 2, 4], pages: 1 } },
    {
      workloads: ["writeback"],
      axes: { coresPerLlc: 24, cores: [1, 2, 4, 8, 16, 24], pages: 4, rounds: 60 },
    },
  ],
};

/** Two sockets of eight cores, as one of the two machines of the paper. */
const latrMunmap: NamedExperiment = {
  name: "latr-munmap",
  title: "What LATR saves where everybody unmaps, and what its sweeps cost where mms change",
  workloads: ["munmap", "tlb-flush2", "server"],
  axes: {
    cpu: "haswell-ep",
    coresPerLlc: 8,
    cores: 16,
    pages: 1,
    rounds: 25,
    lazyTlb: "refcounted",
    protocol: ["linux-5.13", "latr", "broadcast"],
  },
};

export const claims: readonly NamedExperiment[] = [
  refcountAt192,
  lazyCpumask,
  lazierTlb,
  generations,
  concurrentFlush,
  latrMunmap,
];
