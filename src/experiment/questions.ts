// Experiments that answer a question a reader brings. docs/questions.md has the answers, with the
// published figures beside them.

import type { NamedExperiment } from "./experiment.ts";

const pcidPays: NamedExperiment = {
  name: "pcid-pays",
  title: "Does PCID pay at N cores?",
  workloads: ["two-mms"],
  axes: {
    cores: [1, 2, 28, 192],
    pages: [1, 64, 512],
    rounds: 20,
    lazyTlb: "refcounted",
    pcid: [false, true],
  },
};

const flushCeiling: NamedExperiment = {
  name: "flush-ceiling",
  title: "From how many pages on is a full flush cheaper than one for each page?",
  workloads: ["madvise"],
  axes: {
    cpu: ["haswell-ep", "skylake-sp", "rome", "milan"],
    cores: [2, 28],
    pages: [1, 8, 16, 33, 64, 128, 256],
    rounds: 20,
    flushCeiling: [0, 65_536],
    lazyTlb: "refcounted",
  },
};

const lazySaves: NamedExperiment = {
  name: "lazy-saves",
  title: "What does lazy TLB save, and what does it cost, on one, two, 28 and 192 cores?",
  workloads: ["pingpong", "kthread", "exit"],
  axes: {
    cores: [1, 2, 28, 192],
    rounds: 10,
    pcid: [false, true],
    lazyTlb: ["eager", "refcounted", "hazard-pointer"],
  },
};

const invlpgbThreads: NamedExperiment = {
  name: "invlpgb-threads",
  title: "What does INVLPGB change from one to 72 threads?",
  workloads: ["tlb-flush2"],
  axes: {
    cpu: "milan",
    protocol: "linux-6.18",
    cores: [1, 2, 4, 8, 16, 32, 64, 72],
    pages: 256,
    rounds: 1,
    lazyTlb: "refcounted",
    invlpgb: [false, true],
  },
};

const exitPolicies: NamedExperiment = {
  name: "exit-policies",
  title: "Which lazy-TLB policy wins at the end of a process?",
  workloads: ["exit"],
  axes: {
    cores: [2, 28, 192],
    rounds: 10,
    lazyTlb: [
      "refcounted",
      "null-prev",
      "fewer-parameters",
      "shoot-lazies",
      "exit-unlazy",
      "hazard-pointer",
      "eager",
    ],
  },
};

export const questions: readonly NamedExperiment[] = [
  pcidPays,
  flushCeiling,
  lazySaves,
  invlpgbThreads,
  exitPolicies,
];
