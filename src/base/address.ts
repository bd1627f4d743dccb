// Addresses and page numbers are distinct types; every conversion between them is in this file.
// Addresses are bigint (64 bits). Page and frame numbers are numbers (at most 52 bits, exact).

export type VirtualAddress = bigint & { readonly brand: "VirtualAddress" };
export type PhysicalAddress = bigint & { readonly brand: "PhysicalAddress" };
/** A virtual address without its page offset: bits 63:12, sign extension included. */
export type PageNumber = number & { readonly brand: "PageNumber" };
/** A physical address without its page offset: bits 51:12. */
export type FrameNumber = number & { readonly brand: "FrameNumber" };

export const virtualAddress = (value: bigint): VirtualAddress =>
  BigInt.asUintN(64, value) as VirtualAddress;
export const physicalAddress = (value: bigint): PhysicalAddress => value as PhysicalAddress;
export const pageNumber = (value: number): PageNumber => value as PageNumber;
export const frameNumber = (value: number): FrameNumber => value as FrameNumber;

export const pageOf = (address: VirtualAddress): PageNumber => Number(address >> 12n) as PageNumber;
export const addressOfPage = (page: PageNumber): VirtualAddress =>
  (BigInt(page) << 12n) as VirtualAddress;
export const frameOf = (address: PhysicalAddress): FrameNumber =>
  Number(address >> 12n) as FrameNumber;
export const addressOfFrame = (frame: FrameNumber): PhysicalAddress =>
  (BigInt(frame) << 12n) as PhysicalAddress;
/** The page `count` pages above `page`. */
export const pageAfter = (page: PageNumber, count: number): PageNumber =>
  (page + count) as PageNumber;

/** An address, a page, frame or vector number, an entry, as reports write them. */
export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** A half-open range of virtual pages [start, end). */
export interface PageRange {
  readonly start: PageNumber;
  readonly end: PageNumber;
}

export const pageRange = (start: PageNumber, pageCount: number): PageRange => ({
  start,
  end: (start + pageCount) as PageNumber,
});
export const pagesIn = (range: PageRange): number => range.end - range.start;

export const overlap = (a: PageRange, b: PageRange): boolean => a.start < b.end && b.start < a.end;

/** The smallest range that covers both. */
export const union = (a: PageRange, b: PageRange): PageRange => ({
  start: a.start < b.start ? a.start : b.start,
  end: a.end > b.end ? a.end : b.end,
});
