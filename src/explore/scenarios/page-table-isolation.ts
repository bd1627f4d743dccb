// Page-table isolation: two roots and two PCIDs an address space, of which a flush must reach both,
// and kernel pages that are not global any more.

import { pageRange } from "../../base/address.ts";
import { call, kernelAccess, type KernelCode } from "../../kernel/operation/operation.ts";
import { enterKernel } from "../../kernel/cpu/pti.ts";
import type { Task } from "../../kernel/state/task.ts";
import { vfree, vmalloc, VMALLOC_START } from "../../kernel/memory/vmalloc.ts";
import type { Scenario } from "./scenario.ts";

export const isolatedReader: Scenario = {
  name: "isolated-reader",
  summary: "with page-table isolation, a page is protected while another CPU reads it in user mode",
  cpus: 2,
  kernel: { pti: true, invpcid: false },
  prepare(stage) {
    const a = stage.mm("a");
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    stage.switchTo(stage.task(cpu0, "protector", a));
    stage.switchTo(stage.task(cpu1, "reader", a));
    stage.run(cpu1, stage.touch("read", { cpu: cpu1 }));
    return [(cpu) => stage.protectPage(cpu, a), (cpu) => stage.touch("read", { cpu })];
  },
};

/** A system call that uses a page of the kernel half. */
function* useKernelPage(task: Task): KernelCode {
  yield* enterKernel(task.cpu);
  yield* kernelAccess(VMALLOC_START, "read");
}

export const isolatedKernelPages: Scenario = {
  name: "isolated-kernel-pages",
  summary:
    "with page-table isolation, a kernel page that one mm has used is remapped under another",
  cpus: 2,
  kernel: { pti: true, invpcid: true },
  prepare(stage) {
    const [cpu0, cpu1] = [stage.cpus[0]!, stage.cpus[1]!];
    stage.switchTo(stage.task(cpu0, "other", stage.mm("b")));
    const user = stage.task(cpu1, "user", stage.mm("a"), useKernelPage);
    stage.switchTo(user);
    stage.run(cpu1, vmalloc(cpu1, 1));
    stage.run(cpu1, kernelAccess(VMALLOC_START, "read"));
    stage.sleep(cpu1);
    stage.switchTo(stage.task(cpu1, "next", stage.mm("c")));
    stage.makeReady(user);
    return [
      undefined,
      function* (cpu): KernelCode {
        yield* call(vfree(cpu, pageRange(VMALLOC_START, 1)));
        yield* call(vmalloc(cpu, 1));
        yield* stage.goToSleep(cpu.current);
      },
    ];
  },
};
