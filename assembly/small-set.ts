// A set of a data cache with up to 8 ways: its line tags, and a matrix that tells their order.
//
//   | 8 tags u32 | order u64 | most recent tag u32 | - u32 |
//
//   order, bit 8i + j: way i was used after way j
//
// Exact LRU; 0 is the state of a set never used. What a use does to the matrix depends on the way
// alone: two words for each, which one table has for each number of ways.

export const SMALL_WAYS: u32 = 8;
export const SMALL_SET_BYTES: u32 = 48;

const ORDER: usize = 32;
const MOST_RECENT: usize = 40;
/** The column of way 0. */
const COLUMN: u64 = 0x0101010101010101;
/** The words `keep` and `set` of each way, for 1 to 8 ways. */
const USES: usize = memory.data(9 * 8 * 16, 16);

/** Fills USES; once. */
export function shapeUses(): void {
  for (let ways: u32 = 1; ways <= SMALL_WAYS; ways++) {
    for (let way: u32 = 0; way < ways; way++) {
      const keep = ~(COLUMN << way);
      store<u64>(useOf(ways, way), keep);
      store<u64>(useOf(ways, way), ((((<u64>1) << ways) - 1) << (8 * way)) & keep, 8);
    }
  }
}

function useOf(ways: u32, way: u32): usize {
  return USES + ((<usize>(ways * SMALL_WAYS + way)) << 4);
}

export function isMostRecent(set: usize, tag: u32): bool {
  return load<u32>(set, MOST_RECENT) == tag;
}

/** Looks a tag up and makes it the most recent, evicting the oldest on a miss. */
export function useSmallSet(set: usize, ways: u32, tag: u32): bool {
  const equal = waysInSmallSet(set, tag);
  if (equal == 0) fillSmallSet(set, ways, tag);
  else touchInSmallSet(set, ways, ctz(equal), tag);
  return equal != 0;
}

/** Bit i: way i has the tag. */
export function waysInSmallSet(set: usize, tag: u32): u32 {
  const wanted = i32x4.splat(tag);
  const low = i32x4.bitmask(i32x4.eq(v128.load(set), wanted));
  const high = i32x4.bitmask(i32x4.eq(v128.load(set, 16), wanted));
  return low | (high << 4);
}

/** Makes a way, whose tag it is, the most recent. */
export function touchInSmallSet(set: usize, ways: u32, way: u32, tag: u32): void {
  const use = useOf(ways, way);
  store<u64>(set, (load<u64>(set, ORDER) & load<u64>(use)) | load<u64>(use, 8), ORDER);
  store<u32>(set, tag, MOST_RECENT);
}

/** Enters a tag in the place of the oldest. */
export function fillSmallSet(set: usize, ways: u32, tag: u32): void {
  const way = oldest(load<u64>(set, ORDER));
  touchInSmallSet(set, ways, way, tag);
  store<u32>(set + ((<usize>way) << 2), tag);
}

/** The first row that is 0: used after no other way. Rows behind the last way come later. */
function oldest(order: u64): u32 {
  return (<u32>ctz((order - COLUMN) & ~order & (COLUMN << 7))) >> 3;
}
