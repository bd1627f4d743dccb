// Emulated physical memory. A frame gets 4 KiB of backing when it is first written; until then it
// reads as zero, so data pages that only the caches see cost nothing.
//
//   frame number, 26 bits: | directory index 13 | block index 13 |
//
// Unlike hardware, there are 256 GiB everywhere: frames beyond read as zero and ignore writes.

import { alignUp } from "./bits.ts";
import { MACHINE } from "./layout.ts";

const BLOCK_BITS: u64 = 12;
const DIRECTORY_BITS: u64 = 14;
const FRAMES: u64 = 1 << (BLOCK_BITS + DIRECTORY_BITS);
const BLOCK_BYTES: u32 = 1 << (<u32>BLOCK_BITS + 2);
const FRAME_BYTES: u32 = 4096;

/** Wasm addresses of blocks; a block holds the wasm addresses of its frames' backing. 0: none. */
const DIRECTORY: usize = memory.data(4 << (<i32>DIRECTORY_BITS), 64);

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

/** Where the frame's backing is, or 0. */
function backing(frame: u64): usize {
  if (frame >= FRAMES) return 0;
  const block = <usize>load<u32>(DIRECTORY + ((<usize>(frame >> BLOCK_BITS)) << 2));
  if (block == 0) return 0;
  return <usize>load<u32>(block + (((<usize>frame) & ((1 << (<usize>BLOCK_BITS)) - 1)) << 2));
}

function back(frame: u64): usize {
  const slot = DIRECTORY + ((<usize>(frame >> BLOCK_BITS)) << 2);
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
  store<u32>(block + (((<usize>frame) & ((1 << (<usize>BLOCK_BITS)) - 1)) << 2), <u32>bytes);
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
    if (value == 0 || frame >= FRAMES) return;
    bytes = back(frame);
  }
  store<u64>(bytes + ((<usize>physical) & 0xff8), value);
}

/** Gives a frame's backing to the free list; the frame reads as zero from now on. */
export function release(frame: u64): void {
  const bytes = backing(frame);
  if (bytes == 0) return;
  const block = <usize>load<u32>(DIRECTORY + ((<usize>(frame >> BLOCK_BITS)) << 2));
  store<u32>(block + (((<usize>frame) & ((1 << (<usize>BLOCK_BITS)) - 1)) << 2), 0);
  store<u32>(bytes, <u32>MACHINE.freeBacking);
  MACHINE.freeBacking = bytes;
}
