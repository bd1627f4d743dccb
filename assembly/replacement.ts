// Which way of a set is replaced, for up to 16 ways. Each policy keeps one u64 per set, and 0 is the
// state of a set never used, so that arrays need no initialisation.
//
//   lru, fifo           16 way numbers of 4 bits, most recent first, XORed with IDENTITY_ORDER
//   tree-plru           bit n: the child of node n that was used less recently; root 1
//   mru-plus-one-plru   bits 3:0 the group of 4 ways used last; bits 4+4g.. the tree of group g

import { REPLACE_FIFO, REPLACE_LRU, REPLACE_TREE_PLRU } from "./abi.ts";
import { IDENTITY_ORDER, moveToFront } from "./bits.ts";

function treeTouch(tree: u64, way: u64, ways: u64): u64 {
  let node: u64 = 1;
  for (let bit = ways >> 1; bit != 0; bit >>= 1) {
    const child: u64 = (way & bit) == 0 ? 0 : 1;
    tree = (tree & ~((<u64>1) << node)) | ((child ^ 1) << node);
    node = node * 2 + child;
  }
  return tree;
}

function treeVictim(tree: u64, ways: u64): u32 {
  let node: u64 = 1;
  while (node < ways) node = node * 2 + ((tree >> node) & 1);
  return <u32>(node - ways);
}

/** The state after a use of `way`; a fifo set has none. */
export function stateAfterUse(policy: u32, state: u64, way: u64, ways: u64): u64 {
  if (policy == REPLACE_LRU) return moveToFront(state ^ IDENTITY_ORDER, way) ^ IDENTITY_ORDER;
  if (policy == REPLACE_FIFO) return state;
  if (policy == REPLACE_TREE_PLRU) return treeTouch(state, way, ways);
  const group = way >> 2;
  const shift = 4 + 4 * group;
  const tree = treeTouch((state >> shift) & 15, way & 3, 4);
  return (state & ~(((<u64>15) << shift) | 15)) | (tree << shift) | group;
}

/** The state after a fill of `way`: a use, and for fifo the youngest place. */
export function stateAfterFill(policy: u32, state: u64, way: u64, ways: u64): u64 {
  return stateAfterUse(policy == REPLACE_FIFO ? REPLACE_LRU : policy, state, way, ways);
}

/** The way to replace in a full set. */
export function victim(policy: u32, state: u64, ways: u64): u32 {
  if (policy == REPLACE_LRU || policy == REPLACE_FIFO) {
    return <u32>(((state ^ IDENTITY_ORDER) >> (4 * (ways - 1))) & 15);
  }
  if (policy == REPLACE_TREE_PLRU) return treeVictim(state, ways);
  const groups = ways >> 2;
  let group = (state & 15) + 1;
  if (group == groups) group = 0;
  return <u32>(4 * group) + treeVictim((state >> (4 + 4 * group)) & 15, 4);
}
