// A checker of one's own: the last CPU is isolated (nohz_full) and runs user code without pause. No
// flush may interrupt it once the measured part has begun.
//
//   npx shootdown run munmap --checker examples/isolated-cpu.ts --set cores=4

import {
  CALL_FUNCTION_SINGLE_VECTOR,
  CALL_FUNCTION_VECTOR,
  type CheckerFactory,
  lookAtNothing,
  nothingToRestore,
} from "shootdown/kernel";

const CALLS = [CALL_FUNCTION_VECTOR, CALL_FUNCTION_SINGLE_VECTOR];

export const isolatedCpu: CheckerFactory = {
  name: "isolated-cpu",
  summary: "no function call interrupts the last CPU",
  create(kernel, log) {
    const isolated = kernel.cpus.length - 1;
    return {
      // The event says all: no state of the kernel is looked at.
      looksAt: { interruptTaken: lookAtNothing },
      observe(event, { cpu, cycle }) {
        if (event.kind !== "interruptTaken" || cpu !== isolated) return;
        if (!CALLS.includes(event.vector)) return;
        const message = `CPU ${cpu} is isolated, and a call interrupts it`;
        log.report({ invariant: "isolated-cpu", message, cycle, cpus: [cpu], mm: null });
      },
      save: () => nothingToRestore,
    };
  },
};
