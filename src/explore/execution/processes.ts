// The processes of a search. Each CPU has one of each kind, in the order of the list, and the
// processes of CPU 0 come first.

/** What a process does in a step. */
export const PROCESS_KINDS = ["step", "drain", "interrupt", "enter"] as const;

export type ProcessKind = (typeof PROCESS_KINDS)[number];

export const PROCESSES_PER_CPU = PROCESS_KINDS.length;

export const processOf = (cpu: number, kind: ProcessKind): number =>
  cpu * PROCESSES_PER_CPU + PROCESS_KINDS.indexOf(kind);

export const cpuOf = (process: number): number => Math.floor(process / PROCESSES_PER_CPU);

export const kindOf = (process: number): ProcessKind => PROCESS_KINDS[process % PROCESSES_PER_CPU]!;
