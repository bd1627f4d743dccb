// A set of a data cache with more than 8 ways: its line tags, most recently used first. Exact LRU
// without further state. Up to 16 ways have the room of 16.

import { alignUp } from "./bits.ts";

/** Bytes of a set. */
export function largeSetBytes(ways: u32): u32 {
  return alignUp(ways, ways > 16 ? 4 : 16) << 2;
}

/** 32 words of ones, then 36 of zeros: read from the middle, lanes up to a place. */
const LANES: usize = memory.data(68 * 4, 16);
const LANES_MIDDLE: usize = LANES + 32 * 4;

/** Fills LANES; once. */
export function shapeLanes(): void {
  memory.fill(LANES, 0xff, 32 * 4);
}

/** Ones in the lanes of a vector whose first place is `first` that are not behind `place`. */
function lanesUpTo(place: u32, first: u32): v128 {
  return v128.load(LANES_MIDDLE + ((<isize>first - <isize>place - 1) << 2));
}

/** `tags` moved one lane up, the last lane of `before` put in front. */
function shiftIn(before: v128, tags: v128): v128 {
  return v128.shuffle<i32>(before, tags, 3, 4, 5, 6);
}

/**
 * Looks a tag up in a set and makes it the most recent, evicting the oldest on a miss: the tags
 * before its place move one place back. Pads behind the last way are 0 and match no tag.
 */
export function useLargeSet(set: usize, ways: u32, tag: u32): bool {
  if (load<u32>(set) == tag) return true;
  return ways <= 16 ? useOf16(set, ways, tag) : useOfMany(set, ways, tag);
}

function useOf16(set: usize, ways: u32, tag: u32): bool {
  const wanted = i32x4.splat(tag);
  const a = v128.load(set);
  const b = v128.load(set, 16);
  const c = v128.load(set, 32);
  const d = v128.load(set, 48);
  const low = i32x4.bitmask(i32x4.eq(a, wanted)) | (i32x4.bitmask(i32x4.eq(b, wanted)) << 4);
  const high = i32x4.bitmask(i32x4.eq(c, wanted)) | (i32x4.bitmask(i32x4.eq(d, wanted)) << 4);
  const equal = low | (high << 8);
  if (equal == 0) {
    const last = lanesUpTo(ways - 1, ways > 12 ? 12 : 8);
    v128.store(set, shiftIn(wanted, a));
    v128.store(set, shiftIn(a, b), 16);
    if (ways > 12) {
      v128.store(set, shiftIn(b, c), 32);
      v128.store(set, v128.and(shiftIn(c, d), last), 48);
    } else {
      v128.store(set, v128.and(shiftIn(b, c), last), 32);
    }
    return false;
  }
  const place = ctz(equal);
  v128.store(set, v128.bitselect(shiftIn(wanted, a), a, lanesUpTo(place, 0)));
  v128.store(set, v128.bitselect(shiftIn(a, b), b, lanesUpTo(place, 4)), 16);
  v128.store(set, v128.bitselect(shiftIn(b, c), c, lanesUpTo(place, 8)), 32);
  v128.store(set, v128.bitselect(shiftIn(c, d), d, lanesUpTo(place, 12)), 48);
  return true;
}

function useOfMany(set: usize, ways: u32, tag: u32): bool {
  const wanted = i32x4.splat(tag);
  let equal: u32 = 0;
  for (let place: u32 = 0; place < ways; place += 4) {
    const tags = v128.load(set + ((<usize>place) << 2));
    equal |= i32x4.bitmask(i32x4.eq(tags, wanted)) << place;
  }
  const place = ctz(equal | ((<u32>1) << (ways - 1)));
  let before = wanted;
  for (let first: u32 = 0; first < ways; first += 4) {
    const address = set + ((<usize>first) << 2);
    const tags = v128.load(address);
    v128.store(address, v128.bitselect(shiftIn(before, tags), tags, lanesUpTo(place, first)));
    before = tags;
  }
  return equal != 0;
}
