// What the last two walks loaded, for whoever asks for an explanation of an access, which takes two
// when it crosses a page: nothing else reads this.
//
//   walk, 184 bytes:  steps u32 | start level u32 | linear address u64 | rights u64 | 5 steps
//   step, 32 bytes:   level u32 | - u32 | address u64 | entry u64 | cycles f64

const STEP_BYTES: usize = 32;
/** Levels 5 to 1. */
const MOST_STEPS: usize = 5;
const STEPS_OFFSET: usize = 24;
const WALK_BYTES: usize = STEPS_OFFSET + MOST_STEPS * STEP_BYTES;
const WALKS: usize = memory.data(2 * <i32>WALK_BYTES, 8);
/** Which of the two is the last: 0 or 1. */
const LAST: usize = memory.data(4, 4);

/** The last walk for 0, the one before it for 1. */
function walkAt(back: u32): usize {
  assert(back < 2);
  return WALKS + <usize>(load<u32>(LAST) ^ back) * WALK_BYTES;
}

export function beginLog(level: u32, address: u64, path: u64): void {
  store<u32>(LAST, load<u32>(LAST) ^ 1);
  const walk = walkAt(0);
  store<u32>(walk, 0);
  store<u32>(walk, level, 4);
  store<u64>(walk, address, 8);
  store<u64>(walk, path, 16);
}

export function logStep(level: u32, address: u64, entry: u64, cycles: f64): void {
  const walk = walkAt(0);
  const index = load<u32>(walk);
  const step = walk + STEPS_OFFSET + <usize>index * STEP_BYTES;
  store<u32>(step, level);
  store<u64>(step, address, 8);
  store<u64>(step, entry, 16);
  store<f64>(step, cycles, 24);
  store<u32>(walk, index + 1);
}

export function stepCount(back: u32): u32 {
  return load<u32>(walkAt(back));
}

/** The level of the table that the walk began at; 0 when a PDPTE register was not present. */
export function startLevel(back: u32): u32 {
  return load<u32>(walkAt(back), 4);
}

/** The linear address that was walked for. */
export function walkedAddress(back: u32): u64 {
  return load<u64>(walkAt(back), 8);
}

/** What the cached entry that the walk began at allows, as a TLB's data word. */
export function startRights(back: u32): u64 {
  return load<u64>(walkAt(back), 16);
}

function stepAt(back: u32, index: u32): usize {
  assert(index < stepCount(back));
  return walkAt(back) + STEPS_OFFSET + <usize>index * STEP_BYTES;
}

export function stepLevel(back: u32, index: u32): u32 {
  return load<u32>(stepAt(back, index));
}

export function stepAddress(back: u32, index: u32): u64 {
  return load<u64>(stepAt(back, index), 8);
}

export function stepEntry(back: u32, index: u32): u64 {
  return load<u64>(stepAt(back, index), 16);
}

export function stepCycles(back: u32, index: u32): f64 {
  return load<f64>(stepAt(back, index), 24);
}
