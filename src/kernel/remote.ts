// Operations by which a CPU has the hardware invalidate on others, without their kernel.

import type { RemoteRequest } from "../machine/remote.ts";
import type { Kernel } from "./operation.ts";
import { markOrigin } from "./origin.ts";

export interface RemoteOperation {
  readonly kind: "invalidateRemotely";
  readonly request: RemoteRequest;
}

/**
 * On return nobody holds what the request covers, this CPU included, nor a global translation of
 * its pages. Serialising.
 */
export function* invalidateRemotely(request: RemoteRequest): Kernel {
  markOrigin();
  yield { kind: "invalidateRemotely", request };
}
