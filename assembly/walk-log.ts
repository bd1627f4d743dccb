// What the last walk loaded, for whoever asks for an explanation of it: nothing else reads this.
//
//   step, 32 bytes:  level u32 | - u32 | address u64 | entry u64 | cycles f64

const STEP_BYTES: usize = 32;
/** Levels 5 to 1. */
const MOST_STEPS: usize = 5;
const STEPS: usize = memory.data(<i32>(MOST_STEPS * STEP_BYTES), 8);
/** How many steps there are, the level of the table that the walk began at, its rights so far. */
const COUNT: usize = memory.data(16, 8);

export function beginLog(level: u32, path: u64): void {
  store<u32>(COUNT, 0);
  store<u32>(COUNT, level, 4);
  store<u64>(COUNT, path, 8);
}

export function logStep(level: u32, address: u64, entry: u64, cycles: f64): void {
  const index = <usize>load<u32>(COUNT);
  const step = STEPS + index * STEP_BYTES;
  store<u32>(step, level);
  store<u64>(step, address, 8);
  store<u64>(step, entry, 16);
  store<f64>(step, cycles, 24);
  store<u32>(COUNT, <u32>index + 1);
}

export function stepCount(): u32 {
  return load<u32>(COUNT);
}

/** The level of the table that the walk began at; 0 when a PDPTE register was not present. */
export function startLevel(): u32 {
  return load<u32>(COUNT, 4);
}

/** What the cached entry that the walk began at allows, as a TLB's data word. */
export function startRights(): u64 {
  return load<u64>(COUNT, 8);
}

function stepAt(index: u32): usize {
  assert(index < stepCount());
  return STEPS + <usize>index * STEP_BYTES;
}

export function stepLevel(index: u32): u32 {
  return load<u32>(stepAt(index));
}

export function stepAddress(index: u32): u64 {
  return load<u64>(stepAt(index), 8);
}

export function stepEntry(index: u32): u64 {
  return load<u64>(stepAt(index), 16);
}

export function stepCycles(index: u32): f64 {
  return load<f64>(stepAt(index), 24);
}
