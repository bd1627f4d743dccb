// Event counts of each core, kept as f64 so that they neither wrap nor need conversion.

import { COUNTERS } from "./abi.ts";
import { Core, coreAt, counterOf, MACHINE } from "./layout.ts";

export function count(core: Core, counter: u32): void {
  add(core, counter, 1);
}

export function add(core: Core, counter: u32, amount: f64): void {
  const address = counterOf(core, counter);
  store<f64>(address, load<f64>(address) + amount);
}

export function counter(core: u32, index: u32): f64 {
  assert(index < COUNTERS);
  return load<f64>(counterOf(coreAt(core), index));
}

export function resetCounters(): void {
  for (let core: u32 = 0; core < MACHINE.coreCount; core++) {
    memory.fill(counterOf(coreAt(core), 0), 0, COUNTERS << 3);
  }
}
