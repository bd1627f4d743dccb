// Operations by which a CPU has the hardware invalidate on others, without their kernel.

import type { Broadcast } from "../../machine/broadcast.ts";
import type { RemoteRequest } from "../../machine/remote.ts";
import type { Cell } from "./cell.ts";
import type { KernelCode } from "./operation.ts";

/** RAR_SUCCESS and RAR_PENDING, of an entry of an action vector. */
export const ACTION_DONE = 0;
export const ACTION_PENDING = 1;

/** A CPU that an action is for, and the entry of its action vector. */
export interface ActionTarget {
  readonly cpu: number;
  readonly status: Cell<number>;
}

export interface SendActions {
  readonly kind: "sendActions";
  readonly what: Broadcast;
  readonly targets: readonly ActionTarget[];
}

export type RemoteOperation =
  { readonly kind: "invalidateRemotely"; readonly request: RemoteRequest } | SendActions;

/**
 * On return nobody holds what the request covers, this CPU included, nor a global translation of
 * its pages. Serialising.
 */
export function* invalidateRemotely(request: RemoteRequest): KernelCode {
  yield { kind: "invalidateRemotely", request };
}

/** Writes of the RAR vector to the ICR: each target invalidates, and stores ACTION_DONE. */
export function* sendActions(what: Broadcast, targets: readonly ActionTarget[]): KernelCode {
  yield { kind: "sendActions", what, targets };
}
