// What a scene can ask of the host under the kernel: to take a vCPU away, and to give it back.

import type { Cpu } from "../state/cpu.ts";
import type { KernelCode } from "./operation.ts";
import { nameFunctions } from "./origin.ts";

/**
 * The host takes `cpu` away for `cycles`, or until it is resumed: it executes nothing and takes no
 * interrupt. Takes no time; one that is preempted already stays so.
 */
export function* preemptVcpu(cpu: Cpu, cycles: number = Infinity): KernelCode {
  yield { kind: "preemptVcpu", cpu, cycles };
}

/** The host lets `cpu` run again. What others have asked for in its steal time is done first. */
export function* resumeVcpu(cpu: Cpu): KernelCode {
  yield { kind: "resumeVcpu", cpu };
}

nameFunctions({ preemptVcpu });
