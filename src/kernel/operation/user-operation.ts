// User mode of a program that may do what its areas do not allow.

import type { Stream } from "../../machine/stream.ts";
import type { SegmentationFault } from "../state/task.ts";
import type { KernelCode } from "./operation.ts";

/**
 * As runUser, up to an access that no area allows. Its SIGSEGV is returned, as to a program that
 * handles it, and the accesses behind it are not made; null: all were.
 */
export function* tryUser(stream: Stream): KernelCode<SegmentationFault | null> {
  return ((yield { kind: "runUser", stream }) ?? null) as SegmentationFault | null;
}
