// arch/x86/kernel/apic: the drivers of the local APIC, of which a kernel picks one at boot. They
// differ in how many writes of the ICR it takes to interrupt a set of CPUs; what one write costs is
// the machine's. APIC ids are taken to be CPU numbers.

import type { Cpu } from "../state/cpu.ts";

/** CPUs of an x2APIC cluster: one logical destination names any of them (SDM 3A 11.12.10.2). */
const CLUSTER_CPUS = 16;
/** CPUs that a logical destination of the xAPIC's flat model can name (SDM 3A 11.6.2.2). */
const FLAT_CPUS = 8;
/** CPUs that an xAPIC can name one by one: 255 is everybody. */
export const XAPIC_CPUS = 255;

/** The targets, ascending, of each ICR write that interrupts all of them, in order. */
export function icrWrites(cpu: Cpu, targets: readonly number[]): readonly (readonly number[])[] {
  const { x2apic = "cluster", ipiShorthand = false } = cpu.kernel.options;
  if (ipiShorthand && targets.length > 1 && areAllButSelf(cpu, targets)) return [targets];
  if (x2apic === "cluster") return byCluster(targets);
  // apic_flat, which Linux picks for up to 8 CPUs, against apic_physflat.
  if (x2apic === "off" && cpu.kernel.cpus.length <= FLAT_CPUS) return [targets];
  return targets.map((target) => [target]);
}

/** native_send_call_func_ipi with apic_use_ipi_shorthand; what is sent to one CPU goes to it. */
function areAllButSelf({ id, kernel }: Cpu, targets: readonly number[]): boolean {
  const others = kernel.cpus.filter((cpu) => cpu.id !== id && kernel.onlineMask.has(cpu.id));
  return others.length === targets.length;
}

/** __x2apic_send_IPI_mask of x2apic_cluster.c */
function byCluster(targets: readonly number[]): number[][] {
  const writes = new Map<number, number[]>();
  for (const target of targets) {
    const cluster = Math.floor(target / CLUSTER_CPUS);
    const together = writes.get(cluster);
    if (together === undefined) writes.set(cluster, [target]);
    else together.push(target);
  }
  return [...writes.values()];
}
