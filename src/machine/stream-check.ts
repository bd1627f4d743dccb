// What a stream has to be so that a machine can run it.

import { BadInput } from "../base/bad-input.ts";
import {
  type Check,
  choice,
  fields,
  flag,
  integer,
  listOf,
  number,
  optional,
  readInteger,
} from "../base/input.ts";
import { cycles } from "./machine-checks.ts";
import { anyPage } from "./page-checks.ts";
import type { Stream } from "./stream.ts";

/** The chase goes through a power of two of them, in 32 bits. */
const MOST_ELEMENTS = 2 ** 31;
const MOST_STRIDE_BYTES = 2 ** 48;
const MOST_LISTED = 512;
const MOST_ACCESSES = 2 ** 32 - 1;

const each: Check = fields({
  base: anyPage,
  strideBytes: integer(-MOST_STRIDE_BYTES, MOST_STRIDE_BYTES),
  stagger: flag,
  elements: integer(1, MOST_ELEMENTS),
  order: choice("sequential", "random", "chase", "list"),
  pages: optional(listOf(anyPage, { from: 1, to: MOST_LISTED })),
  kind: choice("read", "write", "execute"),
  writePercent: number(0, 100),
  thinkCycles: cycles,
  position: integer(0, MOST_ELEMENTS),
  remaining: integer(0, MOST_ACCESSES),
  random: integer(1, MOST_ACCESSES),
});

export const stream: Check = (path, value) => {
  each(path, value);
  const { elements, order, pages, position } = value as Stream;
  readInteger(`${path}.position`, position, { from: 0, to: elements - 1 });
  if (order !== "list" || (pages !== undefined && pages.length >= elements)) return;
  throw new BadInput(`${path}.pages`, pages, `a page for each element: ${elements} of them`);
};
