// What a program sees of paging, in the manual's terms: features, control registers, accesses,
// faults. The machine and the reference model both speak it, so that one can judge the other.

export type Vendor = "intel" | "amd";

/** What CPUID tells of paging. */
export interface PagingFeatures {
  /** Decides what the manuals differ in: PML4E and PML5E bit 8 is reserved on AMD. */
  readonly vendor: Vendor;
  /** MAXPHYADDR: 32..52. */
  readonly physicalAddressBits: number;
  readonly gigabytePages: boolean;
  /** CR4.LA57 may be set. */
  readonly fiveLevels: boolean;
  readonly pcid: boolean;
  readonly invpcid: boolean;
  readonly smep: boolean;
  readonly smap: boolean;
  /** CR4.PKE may be set. */
  readonly protectionKeys: boolean;
  /** CR4.PKS may be set. */
  readonly supervisorKeys: boolean;
  /** EFER.NXE may be set. */
  readonly noExecute: boolean;
}

/** A processor that has all of it. */
export const EVERY_FEATURE: PagingFeatures = {
  vendor: "intel",
  physicalAddressBits: 52,
  gigabytePages: true,
  fiveLevels: true,
  pcid: true,
  invpcid: true,
  smep: true,
  smap: true,
  protectionKeys: true,
  supervisorKeys: true,
  noExecute: true,
};

export type ControlRegister = "cr0" | "cr3" | "cr4" | "efer" | "pkru" | "pkrs";

/** Architectural values, 64 bits; PKRU and PKRS have 32. */
export type ControlRegisters = Readonly<Record<ControlRegister, bigint>>;

export type AccessKind = "read" | "write" | "execute";

/** One access of a program, or of the processor on its behalf. */
export interface Access {
  /** Linear, 64 bits; outside 64-bit mode the low 32. */
  readonly address: bigint;
  /** A locked read-modify-write is a "write" with `locked`. */
  readonly kind: AccessKind;
  /** 1..15, at most 8 for data; the access may cross a page. */
  readonly bytes: number;
  /** CPL = 3. */
  readonly user: boolean;
  /** The processor's own access to a descriptor table or TSS: supervisor, whatever the CPL. */
  readonly implicit?: boolean;
  /** RFLAGS.AC, which lifts SMAP from explicit accesses. */
  readonly alignmentCheck?: boolean;
  readonly locked?: boolean;
  /** Through SS: #SS instead of #GP when the address is not canonical. */
  readonly stack?: boolean;
}

export interface Fault {
  /** #UD (INVPCID or WRPKRU where the processor has none), #SS, #GP, #PF. */
  readonly vector: 6 | 12 | 13 | 14;
  /** 0 of #UD, which has none. */
  readonly errorCode: number;
  /** CR2, of a page fault only. */
  readonly address?: bigint;
}

/** Where an access went: its first byte, and the first byte on a second page. */
export interface Reached {
  readonly physical: bigint;
  readonly secondPhysical?: bigint;
}

export type AccessOutcome =
  { readonly fault: Fault } | { readonly fault?: undefined; readonly reached: Reached };

/** An instruction at CPL 0 that changes how addresses are translated, or what is cached of it. */
export type ControlInstruction =
  | { readonly kind: "write"; readonly register: ControlRegister; readonly value: bigint }
  | { readonly kind: "invlpg"; readonly address: bigint }
  | {
      readonly kind: "invpcid";
      readonly type: bigint;
      /** The descriptor's first 64 bits: the PCID, and bits 63:12, which are reserved. */
      readonly pcid: bigint;
      readonly address: bigint;
    };

/** What vectors and random programs are run on. */
export interface PagingEngine {
  /** Carries out everything but the transfer of the data itself. */
  access(access: Access): AccessOutcome;
  /** The fault that it raised, if it did; it has then changed nothing. */
  control(instruction: ControlInstruction): Fault | undefined;
  /** Physical memory, little endian, without translation; 4 or 8 bytes, aligned. */
  readPhysical(address: bigint, bytes: 4 | 8): bigint;
  writePhysical(address: bigint, bytes: 4 | 8, value: bigint): void;
}

/** Makes an engine in a control state that its caller vouches for; memory is all zero. */
export type BootEngine = (features: PagingFeatures, registers: ControlRegisters) => PagingEngine;
