// One run as it is wired: a kernel on a machine, the clock that drives it, the checkers and whoever
// else watches.

import { BadInput } from "../base/bad-input.ts";
import { type CheckerFactory, type Checkers, checkersFor } from "../check/checkers.ts";
import { type Violation, ViolationLog } from "../check/violation.ts";
import { type BootRequest, startKernel } from "../kernel/boot.ts";
import type { Observer } from "../kernel/operation/event.ts";
import { History } from "../kernel/operation/history.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import { Clock, type ClockEnd } from "./clock.ts";

export interface SessionRequest extends BootRequest {
  /** Whether the checkers watch. */
  readonly checks: boolean;
  /** Checkers of somebody's own, which watch beside the package's where these do. */
  readonly ownCheckers?: readonly CheckerFactory[];
  /** Makes what runs on the kernel, before the first cycle. */
  readonly start?: (kernel: Kernel) => void;
  /** Who watches, before the checkers do. */
  readonly observers?: (kernel: Kernel) => readonly Observer[];
}

export class Session {
  readonly kernel: Kernel;
  readonly clock: Clock;
  private readonly log: ViolationLog;
  private readonly checkers: Checkers | null;

  constructor(request: SessionRequest) {
    const { checks, ownCheckers, start = () => {}, observers = () => [], ...boot } = request;
    this.kernel = startKernel(boot);
    const history = new History(this.kernel.cpus.length);
    this.log = new ViolationLog(history);
    this.checkers = checks ? checkersFor(this.kernel, this.log, ownCheckers) : null;
    const watching = [
      ...observers(this.kernel),
      ...(this.checkers === null ? [] : [this.checkers.watch]),
    ];
    start(this.kernel);
    this.clock = new Clock(this.kernel, watching, history);
  }

  get violations(): readonly Violation[] {
    return this.log.violations;
  }

  /**
   * Runs to the end, feeding a starved kernel by `refill`. What a kernel does after it has broken
   * an invariant is anything, to fall over included: the run ends there.
   */
  async run(refill: () => Promise<void>): Promise<ClockEnd | "fell over"> {
    let ended = this.runUntilStarved();
    while (ended === "starved") {
      await refill();
      this.kernel.starved = false;
      ended = this.runUntilStarved();
    }
    return ended;
  }

  /** The same without more to read. */
  runUntilStarved(): ClockEnd | "fell over" {
    try {
      return this.clock.run();
    } catch (error) {
      if (error instanceof BadInput || this.log.count === 0) throw error;
      return "fell over";
    }
  }

  /** I9 at the end of a run in which every task was to exit. */
  checkBalance(): void {
    if (this.kernel.stopped) this.checkers?.references.checkBalance(this.kernel.machine.now(0));
  }
}
