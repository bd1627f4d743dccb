// Coherence of the kernel's shared lines, MESI seen from outside: who holds a line, alone or
// shared, where its home is, and until when it is on its way. Contenders queue: a transfer begins
// when the line's last one has ended, so N cores that write one line pay N transfers each.
//
//   line: | busyUntil | exclusive core + 1 | home socket | holders: a bit for each core |

import {
  COUNTER_LINE_TRANSFERS,
  COUNTER_LINE_WAIT_CYCLES,
  DISTANCE_ONE_HOP,
  DISTANCE_SAME_LLC,
} from "./abi.ts";
import { drain } from "./posted-stores.ts";
import { add, count } from "./counters.ts";
import { Core, coreAt, MACHINE } from "./layout.ts";
import { allocate } from "./memory.ts";
import { cyclesOf, distanceBetween, TRANSFER_CYCLES } from "./topology.ts";

@unmanaged
class Line {
  busyUntil: f64;
  exclusive: u32;
  /** A socket, or FREE. */
  home: u32;
}

const FREE: u32 = 0xffffffff;

const LINES_PER_CHUNK_BITS: u32 = 8;
const MAX_CHUNKS: u32 = 4096;
const CHUNKS: usize = memory.data(MAX_CHUNKS << 2, 64);
/** A store leaves the core's way after this; the line's transfer goes on behind it. */
const STORE_ISSUE_CYCLES: f64 = 1;
const HOLDERS_OFFSET: usize = offsetof<Line>();

export function shapeLines(coreCount: u32): void {
  MACHINE.holderWords = (coreCount + 63) >> 6;
  MACHINE.lineStride = <u32>HOLDERS_OFFSET + (MACHINE.holderWords << 3);
}

function lineAt(index: u32): Line {
  const chunk = <usize>load<u32>(CHUNKS + ((<usize>(index >> LINES_PER_CHUNK_BITS)) << 2));
  const place = <usize>(index & ((1 << LINES_PER_CHUNK_BITS) - 1));
  return changetype<Line>(chunk + place * MACHINE.lineStride);
}

/** A line that no cache holds, whose memory is at a socket. */
export function allocateLine(homeSocket: u32): u32 {
  let index: u32;
  if (MACHINE.freeLine != 0) {
    index = MACHINE.freeLine - 1;
    MACHINE.freeLine = lineAt(index).exclusive;
  } else {
    index = MACHINE.lineCount++;
    const chunk = index >> LINES_PER_CHUNK_BITS;
    assert(chunk < MAX_CHUNKS);
    if ((index & ((1 << LINES_PER_CHUNK_BITS) - 1)) == 0) {
      store<u32>(
        CHUNKS + ((<usize>chunk) << 2),
        <u32>allocate(MACHINE.lineStride << LINES_PER_CHUNK_BITS),
      );
    }
  }
  const line = lineAt(index);
  memory.fill(changetype<usize>(line), 0, MACHINE.lineStride);
  line.home = homeSocket;
  return index;
}

/** Whether it is allocated and not free. */
export function isLine(index: u32): bool {
  return index < MACHINE.lineCount && lineAt(index).home != FREE;
}

export function freeLine(index: u32): void {
  assert(index < MACHINE.lineCount);
  lineAt(index).exclusive = MACHINE.freeLine;
  lineAt(index).home = FREE;
  MACHINE.freeLine = index + 1;
}

function holderWord(line: Line, word: u32): usize {
  return changetype<usize>(line) + HOLDERS_OFFSET + ((<usize>word) << 3);
}

function holds(line: Line, core: Core): bool {
  return ((load<u64>(holderWord(line, core.index >> 6)) >> (core.index & 63)) & 1) != 0;
}

function addHolder(line: Line, core: Core): void {
  const word = holderWord(line, core.index >> 6);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (core.index & 63)));
}

function takeAlone(line: Line, core: Core): void {
  for (let word: u32 = 0; word < MACHINE.holderWords; word++) store<u64>(holderWord(line, word), 0);
  addHolder(line, core);
  line.exclusive = core.index + 1;
}

/** Cycles until the line is here: from the furthest holder, the nearest, or from memory. */
function transferCycles(line: Line, core: Core, fromFurthest: bool): f64 {
  let found = false;
  let chosen: u32 = 0;
  const limit = fromFurthest ? MACHINE.furthest : DISTANCE_SAME_LLC;
  for (let word: u32 = 0; word < MACHINE.holderWords; word++) {
    let bits = load<u64>(holderWord(line, word));
    while (bits != 0) {
      const other = (word << 6) + <u32>ctz(bits);
      bits &= bits - 1;
      if (other == core.index) continue;
      const distance = distanceBetween(core, coreAt(other));
      if (!found || (fromFurthest ? distance > chosen : distance < chosen)) chosen = distance;
      found = true;
      if (chosen == limit) return throughHome(line, core, chosen);
    }
  }
  if (found) return throughHome(line, core, chosen);
  // A core that is upgrading its only copy needs no data, just the line's permission.
  if (holds(line, core)) return 0;
  return line.home == core.socket ? MACHINE.lineMemoryLocal : MACHINE.lineMemoryRemote;
}

/** AMD asks the home's directory when the line is in another LLC. */
function throughHome(line: Line, core: Core, distance: u32): f64 {
  const direct = cyclesOf(TRANSFER_CYCLES, distance);
  if (MACHINE.directoryAtHome == 0 || distance <= DISTANCE_SAME_LLC || line.home == core.socket) {
    return direct;
  }
  return max<f64>(direct, cyclesOf(TRANSFER_CYCLES, DISTANCE_ONE_HOP));
}

function waitFor(core: Core, line: Line): f64 {
  const start = max<f64>(core.clock, line.busyUntil);
  count(core, COUNTER_LINE_TRANSFERS);
  if (start > core.clock) add(core, COUNTER_LINE_WAIT_CYCLES, start - core.clock);
  return start;
}

/** A load: shares the line with whoever has it. */
export function lineLoad(index: u32, lineIndex: u32): f64 {
  const core = coreAt(index);
  const line = lineAt(lineIndex);
  let cycles = MACHINE.lineLocalCycles;
  if (!holds(line, core)) {
    const start = waitFor(core, line);
    cycles = start - core.clock + transferCycles(line, core, false);
    line.busyUntil = start + MACHINE.readOccupancyCycles;
    addHolder(line, core);
    line.exclusive = 0;
  }
  core.clock += cycles;
  return cycles;
}

/** A posted store: the core goes on, and later serialising instructions wait for it. */
export function lineStore(index: u32, lineIndex: u32): f64 {
  const core = coreAt(index);
  const line = lineAt(lineIndex);
  let visible = core.clock + MACHINE.lineLocalCycles;
  if (line.exclusive != core.index + 1) {
    visible = waitFor(core, line) + transferCycles(line, core, true);
    line.busyUntil = visible;
    takeAlone(line, core);
  }
  // Stores become visible in order (x86-TSO).
  core.drainCycle = max<f64>(core.drainCycle, visible);
  core.clock += STORE_ISSUE_CYCLES;
  return STORE_ISSUE_CYCLES;
}

/** A LOCK-prefixed read-modify-write: drains, takes the line alone, then operates. */
export function lineLocked(index: u32, lineIndex: u32): f64 {
  const core = coreAt(index);
  const line = lineAt(lineIndex);
  const before = core.clock;
  drain(core);
  if (line.exclusive != core.index + 1) {
    const end = waitFor(core, line) + transferCycles(line, core, true);
    line.busyUntil = end;
    takeAlone(line, core);
    core.clock = end;
  }
  core.clock += MACHINE.lineLockedCycles;
  return core.clock - before;
}

/** A full barrier: a LOCK operation on a line that nobody else has (the stack). */
export function fence(index: u32): f64 {
  const core = coreAt(index);
  const before = core.clock;
  drain(core);
  core.clock += MACHINE.lineLockedCycles;
  return core.clock - before;
}
