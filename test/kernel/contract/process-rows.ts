// src/kernel/process.

import { exec } from "../../../src/kernel/process/exec.ts";
import { exit, exitMm, waitForChild, waitForChildren } from "../../../src/kernel/process/exit.ts";
import {
  cloneThread,
  copyMm,
  createKernelThread,
  createMm,
  fork,
  type NewTask,
} from "../../../src/kernel/process/fork.ts";
import { cpuDown, reapCpu, schedCpuWaitEmpty } from "../../../src/kernel/process/hotplug.ts";
import { kthreadUnuseMm, kthreadUseMm } from "../../../src/kernel/process/kthread.ts";
import { Pipe, readPipe, writePipe } from "../../../src/kernel/process/pipe.ts";
import {
  createMultiStop,
  multiCpuStop,
  runWhenAllStand,
  stopMachine,
} from "../../../src/kernel/process/stop-machine.ts";
import { type Given, needs, nothing, type Rows } from "./contract.ts";
import { INTERRUPTS_ON, MAY_SLEEP, NOTHING_HELD } from "./need.ts";

const newTask = ({ cpu }: Given): NewTask => ({ name: "new", program: nothing, cpu });

const pipeOf = ({ cpu }: Given): Pipe => new Pipe(cpu.kernel, "pipe", cpu.id);

/** The test's task is not one that can fork, exit or wait for other CPUs. */
const comesBack = false;

export const PROCESS_ROWS: Rows = {
  "process/exec": {
    exec: needs({ mm_alloc: MAY_SLEEP }, ({ task }) => exec(task, "new"), { comesBack }),
  },
  "process/exit": {
    exit: needs({ do_exit: NOTHING_HELD }, ({ task }) => exit(task), { comesBack }),
    exitMm: needs({ exit_mm: MAY_SLEEP }, ({ task }) => exitMm(task), { comesBack }),
    waitForChildren: needs({ wait_event: MAY_SLEEP }, ({ task }) => waitForChildren(task)),
    waitForChild: needs(
      { wait_event: MAY_SLEEP },
      ({ task, other }) => waitForChild(task, other.idle),
      { comesBack },
    ),
  },
  "process/fork": {
    cloneThread: needs(
      { kernel_clone: MAY_SLEEP },
      (given) => cloneThread(given.task, newTask(given)),
      { comesBack },
    ),
    fork: needs({ kernel_clone: MAY_SLEEP }, (given) => fork(given.task, newTask(given)), {
      comesBack,
    }),
    createKernelThread: needs(
      { kthread_create: MAY_SLEEP },
      (given) => createKernelThread(given.task, newTask(given)),
      { comesBack },
    ),
    createMm: needs({ mm_alloc: MAY_SLEEP }, ({ cpu }) => createMm(cpu, "new")),
    copyMm: needs({ mm_alloc: MAY_SLEEP }, ({ cpu, mm }) => copyMm(cpu, mm, "new")),
  },
  "process/hotplug": {
    cpuDown: needs({ _cpu_down: MAY_SLEEP }, ({ task, other }) => cpuDown(task, other), {
      comesBack,
    }),
    reapCpu: needs({ takedown_cpu: MAY_SLEEP }, ({ cpu, other }) => reapCpu(cpu, other), {
      comesBack,
    }),
    schedCpuWaitEmpty: needs({ sched_force_init_mm: INTERRUPTS_ON }, ({ task }) =>
      schedCpuWaitEmpty(task),
    ),
    takeCpuDown: "saves and restores the flag; by stop_machine nothing else runs",
  },
  "process/kthread": {
    kthreadUseMm: needs({ kthread_use_mm: MAY_SLEEP }, ({ task, mm }) => kthreadUseMm(task, mm), {
      comesBack,
    }),
    kthreadUnuseMm: needs({ kthread_unuse_mm: MAY_SLEEP }, ({ task }) => kthreadUnuseMm(task), {
      comesBack,
    }),
  },
  "process/pipe": {
    readPipe: needs({ pipe_read: MAY_SLEEP }, (given) => readPipe(given.task, pipeOf(given)), {
      comesBack,
    }),
    writePipe: needs({ pipe_write: MAY_SLEEP }, (given) => writePipe(given.task, pipeOf(given))),
  },
  "process/stop-machine": {
    stopMachine: needs(
      { stop_machine_cpuslocked: MAY_SLEEP },
      ({ task, other }) => stopMachine(task, other, nothing),
      { comesBack },
    ),
    runWhenAllStand: needs(
      { stop_machine_cpuslocked: MAY_SLEEP },
      ({ cpu, other }) => runWhenAllStand(createMultiStop(cpu, other, nothing), 1),
      { comesBack },
    ),
    multiCpuStop: needs(
      { multi_cpu_stop: INTERRUPTS_ON },
      ({ task, cpu, other }) => multiCpuStop(task, createMultiStop(cpu, other, nothing)),
      { comesBack },
    ),
  },
};
