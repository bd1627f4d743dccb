// Emulated physical memory, 52 bits of it. A frame gets 4 KiB of backing when it is first written;
// until then it reads as zero, so data pages that only the caches see cost nothing.
//
//   frame number, 40 bits: | region 14 | directory index 14 | block index 12 |
//
// Region 0 (256 GiB) has its directory in static data; the few others that a program of tables may
// name are linked, with directories from the heap.

import { alignUp } from "./bits.ts";
import { MACHINE } from "./layout.ts";

const BLOCK_BITS: u64 = 12;
const DIRECTORY_BITS: u64 = 14;
const REGION_BITS: u64 = BLOCK_BITS + DIRECTORY_BITS;
const DIRECTORY_BYTES: u32 = 4 << (<u32>DIRECTORY_BITS);
const BLOCK_BYTES: u32 = 1 << (<u32>BLOCK_BITS + 2);
const FRAME_BYTES: u32 = 4096;

/** Wasm addresses of blocks; a block holds the wasm addresses of its frames' backing. 0: none. */
const DIRECTORY: usize = memory.data(<i32>DIRECTORY_BYTES, 64);
/** The first of the further regions: | number u32 | next u32 | - | directory |; 0 ends. */
const REGIONS: usize = memory.data(4, 8);
const REGION_HEADER: u32 = 64;

/** `bytes` of zeros from the heap, aligned to 64, growing the memory when it is used up. */
export function allocate(bytes: u32): usize {
  const start = MACHINE.heapTop;
  const end = start + alignUp(bytes, 64);
  const have = (<usize>memory.size()) << 16;
  if (end > have) {
    const missing = (end - have + 0xffff) >> 16;
    const step = max<usize>(missing, have >> 20);
    if (memory.grow(<i32>step) < 0) assert(memory.grow(<i32>missing) >= 0);
  }
  MACHINE.heapTop = end;
  return start;
}

/** The directory of the frame's region, or 0. */
function directoryOf(frame: u64): usize {
  const number = <u32>(frame >> REGION_BITS);
  return number == 0 ? DIRECTORY : furtherDirectory(number);
}

function furtherDirectory(number: u32): usize {
  let region = <usize>load<u32>(REGIONS);
  while (region != 0 && load<u32>(region) != number) region = <usize>load<u32>(region, 4);
  return region == 0 ? 0 : region + REGION_HEADER;
}

function addRegion(number: u32): usize {
  const region = allocate(REGION_HEADER + DIRECTORY_BYTES);
  store<u32>(region, number);
  store<u32>(region, load<u32>(REGIONS), 4);
  store<u32>(REGIONS, <u32>region);
  return region + REGION_HEADER;
}

function blockSlot(directory: usize, frame: u64): usize {
  const index = (<usize>(frame >> BLOCK_BITS)) & ((1 << (<usize>DIRECTORY_BITS)) - 1);
  return directory + (index << 2);
}

function frameSlot(block: usize, frame: u64): usize {
  return block + (((<usize>frame) & ((1 << (<usize>BLOCK_BITS)) - 1)) << 2);
}

/** Where the frame's backing is, or 0. */
function backing(frame: u64): usize {
  const directory = directoryOf(frame);
  if (directory == 0) return 0;
  const block = <usize>load<u32>(blockSlot(directory, frame));
  return block == 0 ? 0 : <usize>load<u32>(frameSlot(block, frame));
}

function back(frame: u64): usize {
  let directory = directoryOf(frame);
  if (directory == 0) directory = addRegion(<u32>(frame >> REGION_BITS));
  const slot = blockSlot(directory, frame);
  let block = <usize>load<u32>(slot);
  if (block == 0) {
    block = allocate(BLOCK_BYTES);
    store<u32>(slot, <u32>block);
  }
  let bytes = MACHINE.freeBacking;
  if (bytes != 0) {
    MACHINE.freeBacking = <usize>load<u32>(bytes);
    memory.fill(bytes, 0, FRAME_BYTES);
  } else {
    bytes = allocate(FRAME_BYTES);
  }
  store<u32>(frameSlot(block, frame), <u32>bytes);
  return bytes;
}

/** The aligned 8 bytes at a physical address. */
export function read(physical: u64): u64 {
  const bytes = backing(physical >> 12);
  return bytes == 0 ? 0 : load<u64>(bytes + ((<usize>physical) & 0xff8));
}

export function write(physical: u64, value: u64): void {
  const frame = physical >> 12;
  let bytes = backing(frame);
  if (bytes == 0) {
    if (value == 0) return;
    bytes = back(frame);
  }
  store<u64>(bytes + ((<usize>physical) & 0xff8), value);
}

/** The aligned 4 bytes at a physical address. */
export function readHalf(physical: u64): u32 {
  return <u32>(read(physical) >> (8 * (physical & 4)));
}

export function writeHalf(physical: u64, value: u32): void {
  const shift = 8 * (physical & 4);
  const kept = read(physical) & ~((<u64>0xffffffff) << shift);
  write(physical, kept | ((<u64>value) << shift));
}

/** Gives a frame's backing to the free list; the frame reads as zero from now on. */
export function release(frame: u64): void {
  const bytes = backing(frame);
  if (bytes == 0) return;
  const block = <usize>load<u32>(blockSlot(directoryOf(frame), frame));
  store<u32>(frameSlot(block, frame), 0);
  store<u32>(bytes, <u32>MACHINE.freeBacking);
  MACHINE.freeBacking = bytes;
}
