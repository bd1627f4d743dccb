// Bit tricks on u64 words, without a branch.

const NIBBLE_ONES: u64 = 0x1111111111111111;
const NIBBLE_TOPS: u64 = 0x8888888888888888;

/** The word whose nibble i is i: the order of a set that nobody has used yet. */
export const IDENTITY_ORDER: u64 = 0xfedcba9876543210;

/** A list of 16 four-bit numbers with `value`, which occurs once, moved to nibble 0. */
export function moveToFront(order: u64, value: u64): u64 {
  const differs = order ^ (value * NIBBLE_ONES);
  // The top bit of the lowest zero nibble; borrows only spoil the nibbles above it.
  const zeros = (differs - NIBBLE_ONES) & ~differs & NIBBLE_TOPS;
  const found = zeros & (0 - zeros);
  const upToFound = (found << 1) - 1;
  const belowFound = upToFound >> 4;
  return (order & ~upToFound) | ((order & belowFound) << 4) | value;
}

/** `value` rounded up to a multiple of `unit`, a power of two. */
export function alignUp(value: u32, unit: u32): u32 {
  return (value + unit - 1) & ~(unit - 1);
}

/** The smallest exponent of a power of two that is at least `value` (1..2^31). */
export function log2Ceiling(value: u32): u32 {
  return value <= 1 ? 0 : 32 - clz(value - 1);
}
