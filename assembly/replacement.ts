// Which way of a set is replaced, for up to 16 ways. Each policy keeps one u64 per set, and 0 is
// the state of a set never used, so that arrays need no initialisation.
//
//   lru, up to 8 ways   bit 8i + j: way i was used after way j
//   lru above, fifo     16 way numbers of 4 bits, most recent first, XORed with IDENTITY_ORDER
//   tree-plru           bit n: the child of node n that was used less recently; root 1
//   mru-plus-one-plru   bits 3:0 the group of 4 ways used last; bits 4+4g.. the tree of group g
//
// What a use does to a matrix or a tree depends on the way alone: some bits are cleared, some set.
// Those two words are precomputed for each way (`keep`, `set`), so that no use walks a tree.

import { REPLACE_FIFO, REPLACE_LRU, REPLACE_MRU_PLUS_ONE_PLRU, REPLACE_TREE_PLRU } from "./abi.ts";
import { IDENTITY_ORDER, moveToFront } from "./bits.ts";
import { Geometry, keepBits, setBits } from "./geometry.ts";

/** The column of way 0 in the matrix. */
const MATRIX_COLUMN: u64 = 0x0101010101010101;

/** Precomputes what a use of each way does. */
export function shapePolicy(g: Geometry): void {
  for (let way: u32 = 0; way < 16; way++) {
    store<u64>(keepBits(g, way), ~(<u64>0));
    store<u64>(setBits(g, way), 0);
    if (way >= g.ways || g.listed != 0 || g.policy == REPLACE_FIFO) continue;
    if (g.policy == REPLACE_LRU) {
      store<u64>(keepBits(g, way), ~(MATRIX_COLUMN << way));
      store<u64>(
        setBits(g, way),
        ((((<u64>1) << g.ways) - 1) << (8 * way)) & ~(MATRIX_COLUMN << way),
      );
      continue;
    }
    if (g.policy == REPLACE_TREE_PLRU) {
      shapeTree(g, way, way, g.ways, 0);
      continue;
    }
    const group = way >> 2;
    shapeTree(g, way, way & 3, 4, 4 + 4 * group);
    store<u64>(keepBits(g, way), load<u64>(keepBits(g, way)) & ~(<u64>15));
    store<u64>(setBits(g, way), load<u64>(setBits(g, way)) | group);
  }
}

/** Every node on the path to `leaf` comes to point to its other child. */
function shapeTree(g: Geometry, way: u32, leaf: u32, leaves: u32, shift: u32): void {
  let node: u32 = 1;
  let keep = load<u64>(keepBits(g, way));
  let set: u64 = 0;
  for (let bit = leaves >> 1; bit != 0; bit >>= 1) {
    const right = (leaf & bit) != 0;
    keep &= ~((<u64>1) << (shift + node));
    if (!right) set |= (<u64>1) << (shift + node);
    node = node * 2 + (right ? 1 : 0);
  }
  store<u64>(keepBits(g, way), keep);
  store<u64>(setBits(g, way), set);
}

/** Makes `way` the most recently used of the set whose state is at `order`. */
export function touchWay(g: Geometry, order: usize, way: u32): void {
  const state = load<u64>(order);
  if (g.listed != 0) {
    // XORed with the identity, nibble 0 is the most recent way itself.
    if ((state & 15) == way) return;
    store<u64>(order, moveToFront(state ^ IDENTITY_ORDER, way) ^ IDENTITY_ORDER);
  } else {
    store<u64>(order, (state & load<u64>(keepBits(g, way))) | load<u64>(keepBits(g, way), 8));
  }
}

/** Makes `way` the youngest after a fill: a use, and for fifo the youngest place. */
export function touchFilled(g: Geometry, order: usize, way: u32): void {
  if (g.policy == REPLACE_FIFO) {
    const state = load<u64>(order) ^ IDENTITY_ORDER;
    store<u64>(order, moveToFront(state, way) ^ IDENTITY_ORDER);
  } else {
    touchWay(g, order, way);
  }
}

/** The way to replace in a full set. */
export function victim(g: Geometry, state: u64): u32 {
  const policy = g.policy;
  const ways = g.ways;
  if (policy == REPLACE_TREE_PLRU) return treeVictim(state, ways);
  if (policy != REPLACE_MRU_PLUS_ONE_PLRU) {
    if (policy == REPLACE_LRU && g.listed == 0) return matrixVictim(state);
    return (<u32>((state ^ IDENTITY_ORDER) >> (4 * (ways - 1)))) & 15;
  }
  let group = ((<u32>state) & 15) + 1;
  if (group == ways >> 2) group = 0;
  return 4 * group + treeVictimOf4(state >> (4 + 4 * group));
}

/** The first row that is 0: that way was used after no other. */
function matrixVictim(matrix: u64): u32 {
  return (<u32>ctz((matrix - MATRIX_COLUMN) & ~matrix & (MATRIX_COLUMN << 7))) >> 3;
}

/** Of 4 ways: the root in bit 1, its children in bits 2 and 3. */
export function treeVictimOf4(tree: u64): u32 {
  const half = (<u32>(tree >> 1)) & 1;
  return 2 * half + ((<u32>(tree >> (2 + <u64>half))) & 1);
}

function treeVictim(tree: u64, leaves: u32): u32 {
  let node: u32 = 1;
  while (node < leaves) node = node * 2 + ((<u32>(tree >> node)) & 1);
  return node - leaves;
}
