// A workload of one's own: a thread on every CPU maps, touches and unmaps memory, all at once, as
// a runtime does whose every thread manages memory of its own.
//
//   npx shootdown run --workload examples/every-thread-unmaps.ts --set cores=1,3,8

import {
  Barrier,
  cloneThread,
  type KernelCode,
  mapMemory,
  MeasuredPart,
  note,
  syscall,
  type Task,
  touchPages,
  unmapPages,
  waitForChildren,
  type Workload,
} from "shootdown/kernel";

export const everyThreadUnmaps: Workload = {
  name: "every-thread-unmaps",
  summary: "a thread of one mm on every CPU maps, touches and unmaps k pages",
  program: (scene) =>
    function* (main) {
      const count = scene.cpus.length;
      const ready = new Barrier(scene.kernel, count);
      const part = new MeasuredPart(scene.kernel, count);
      const play = function* (task: Task): KernelCode {
        yield* ready.arriveAndWait(task);
        yield* part.begin();
        for (let round = 0; round < scene.rounds; round++) {
          const range = yield* mapMemory(task, scene);
          yield* touchPages(range, "write");
          yield* unmapPages(task, range);
          yield* note({ kind: "operationDone" });
        }
        yield* part.end(task);
      };
      for (const cpu of scene.cpus.slice(1)) {
        const request = { name: `thread${cpu.id}`, program: play, cpu };
        yield* syscall(main, cloneThread(main, request));
      }
      yield* play(main);
      yield* syscall(main, waitForChildren(main));
    },
};
