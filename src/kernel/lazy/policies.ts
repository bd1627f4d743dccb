// The list of lazy-TLB policies. Adding one: its file, a line here, a test, a row in
// docs/lazy-tlb.md.

import { eager } from "./eager.ts";
import { exitUnlazy } from "./exit-unlazy.ts";
import { fewerParameters } from "./fewer-parameters.ts";
import { hazardPointer } from "./hazard-pointer.ts";
import { nullPrev } from "./null-prev.ts";
import { pre415 } from "./pre-4.15.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";
import { refcounted } from "./refcounted.ts";
import { shootLazies } from "./shoot-lazies.ts";
import { unrefcounted } from "./unrefcounted.ts";

export const lazyPolicies = {
  refcounted,
  unrefcounted,
  "null-prev": nullPrev,
  "fewer-parameters": fewerParameters,
  "shoot-lazies": shootLazies,
  "exit-unlazy": exitUnlazy,
  "hazard-pointer": hazardPointer,
  eager,
  "pre-4.15": pre415,
} as const satisfies Record<string, LazyPolicy>;

export type LazyPolicyName = keyof typeof lazyPolicies;
export const LAZY_POLICY_NAMES = Object.keys(lazyPolicies) as readonly LazyPolicyName[];
