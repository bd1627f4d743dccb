// The documents and measurements behind the presets, by the key that the preset files use.

const SOURCES = {
  CPUID:
    "InstLatX64 (github InstLatX64/InstLatX64, 2026-07-22), raw CPUID dump (leaves 2, 4, 7, " +
    "18h, 8000_0005/0006/0008/0019/001D)",
  INSTRUCTION_LATENCY: "InstLatX64, AIDA64 instruction latencies (LOCK ADD [m64], r64; PAUSE)",
  MEMORY_LATENCY: "InstLatX64, AIDA64 NewMemLat (latency by size and stride, TLB decode)",
  CORE_TO_CORE:
    "nviennot/core-to-core-latency @96a943ac, results/*.csv (CAS ping-pong, half a round trip)",
  CHIPS_C2C: "chipsandcheese.com, Core to Core Latency Data on Large Systems, 2023-11-07",
  CHIPS_SPR: "chipsandcheese.com, A Peek at Sapphire Rapids, 2023-03-12 (2 MiB pages, 1 GiB)",
  CHIPS_TLB: "chipsandcheese.com, L2 TLB hit penalties: Zen 2 7 cycles, Skylake 9",
  PMU_TOOLS:
    "andikleen/pmu-tools (2026-07-23), TMA 5.1 ratios: Intel's own cost constants " +
    "(Mem_STLB_Hit_Cost, Mem_XSNP_*, Mem_Local/Remote_*, Page_Walks_Utilization)",
  TLB_DESYNC:
    "vusec/tlbdr @d93516d3 (TLB;DR, USENIX Security 2022): README sample output, " +
    "cache-ninja/src/preset.rs",
  ANANDTECH_ROME: "anandtech.com/show/14694 page 7, EPYC 7742",
  WIKICHIP_ZEN2: "WikiChip, amd/microarchitectures/zen_2",
  SEVEN_CPU_ZEN2: "7-cpu.com/cpu/Zen2.html",
  BRAIS_ZEN: "Hadi Brais, stackoverflow.com/q/69814823 (Zen L2 DTLB is a skewed 12-way array)",
  HANSEN_2014:
    "Linux a5102476a24b x86/mm: Set TLB flush tunable to sane value (33), Dave Hansen, 2014",
  HANSEN_2015: "Dave Hansen, <55775749.3090004@intel.com>, 2015-06-09 (Haswell Xeon)",
  MOLNAR_2015:
    "Ingo Molnar, <20150608195237.GA15429@gmail.com> and <20150608200308.GA16978@gmail.com>, " +
    "2015-06-08 (unnamed Intel CPUs)",
  INVPCID_COMMIT:
    "Linux d8bced79af1d x86/mm: If INVPCID is available, use it to flush global mappings, " +
    "Andy Lutomirski, 2016 (Skylake laptop)",
  INVPCID_THREAD:
    "Dave Hansen and Andy Lutomirski, <5696E420.9040704@linux.intel.com>, 2016: on Skylake " +
    "INVPCID type 3 = 1.15 CR3 writes, type 1 = 1.85",
  AMIT_2019:
    "Nadav Amit, <20190823224635.15387-1-namit@vmware.com> and " +
    "<20190613064813.8102-1-namit@vmware.com>, 2019 (Skylake)",
  PTI_DOC: "Linux Documentation/arch/x86/pti.rst (a CR3 write is of the order of 100 cycles)",
  INTEL_IDLE: "Linux drivers/idle/intel_idle.c, exit_latency of C1 and C6",
  XUI:
    "Aydogmus et al., xUI, ASPLOS 2025: Sapphire Rapids at 2.0 GHz, user IPI end to end 1360 " +
    "cycles (SENDUIPI 383, receiver 720)",
  KVM_IPI:
    "Intel IPI virtualization cover letter: 1317 ns from guest ICR write to handler, 1452 without",
  AVIC_IPI: "KVM AVIC discussion, 2021: EPYC 7742 guest, idle=poll, 1390 ns per IPI",
  CHAMPSIM: "ChampSim @2ff2501 champsim_config.json (PSCL5/4/3/2 of 2/4/8/32 entries)",
  TRAVIS_DOWNS:
    "travisdowns/concurrency-hierarchy-bench: contended atomic add, aggregate 22 to 24 ns an " +
    "operation at 2 to 4 cores of an i7-6700HQ",
  LSCPU: 'lscpu "Address sizes" (CPUID 8000_0008 EAX)',
  INVLPGB_SERIES:
    "Rik van Riel, AMD broadcast TLB invalidation, December 2024: tlb_flush2_threads on 36 cores " +
    "of Milan, flushes from 40 % to 4 % of CPU time",
  PRODUCT: "the vendor's product page",
} as const;

/** A citation with what the number in it was and how it was read. */
export const cite = (key: keyof typeof SOURCES, note?: string): string =>
  note === undefined ? SOURCES[key] : `${SOURCES[key]}: ${note}`;
