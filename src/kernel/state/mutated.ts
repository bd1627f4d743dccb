// Which mutation a kernel has. Kernel code asks at the line that is wrong, so that wrong and right
// stand side by side.

import type { MutationName } from "../operation/mutation.ts";
import type { Cpu } from "./cpu.ts";

/** Whether this CPU's kernel has the mutation `name`. */
export const isMutated = (cpu: Cpu, name: MutationName): boolean =>
  cpu.kernel.options.mutation === name;
