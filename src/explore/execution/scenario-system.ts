// A scenario under one kernel, as a system that a search can run again and again.

import { BadInput } from "../../base/bad-input.ts";
import { coroutineOf } from "../../catalogue/parts.ts";
import { type CheckerFactory, checkersFor } from "../../check/checkers.ts";
import { forgottenFlushes } from "../../check/forgotten-flush.ts";
import { type Violation, ViolationLog } from "../../check/violation.ts";
import { Activation } from "../../kernel/operation/activation.ts";
import type { WaitingCpu } from "../../kernel/operation/event.ts";
import { startKernel } from "../../kernel/boot.ts";
import type { LazyPolicy } from "../../kernel/state/lazy-policy.ts";
import type { MutationName } from "../../kernel/operation/mutation.ts";
import { call, type KernelCode } from "../../kernel/operation/operation.ts";
import { enterKernel } from "../../kernel/cpu/pti.ts";
import { saveKernel } from "../../kernel/state/save.ts";
import { type Restore } from "../../base/restore.ts";
import type { ShootdownProtocol } from "../../kernel/state/shootdown-protocol.ts";
import { VMALLOC_START } from "../../kernel/memory/vmalloc.ts";
import { Machine } from "../../machine/machine.ts";
import type { MemoryModel } from "./execution.ts";
import { Executor } from "./executor.ts";
import { explorerMachine } from "./explorer-machine.ts";
import type { Scenario, Script } from "../scenarios/scenario.ts";
import { onePage, PAGE_COUNT, Stage } from "../scenarios/stage.ts";
import { Witness } from "./witness.ts";
import type { Choices, Footprint, System } from "../search/system.ts";

/** The code under test. */
export interface Subject {
  readonly policy: LazyPolicy;
  readonly protocol: ShootdownProtocol;
  readonly mutation?: MutationName;
  readonly memory: MemoryModel;
  /** Watch beside the package's checkers. */
  readonly ownCheckers?: readonly CheckerFactory[];
  /** Who is to blame where code does not do the same again; what is of the package does. */
  readonly codeFrom?: "package" | "outside";
}

/** The pages that scenarios use, and whose translations are followed. */
const PAGES = [
  ...Array.from({ length: PAGE_COUNT }, (_, index) => onePage(index).start),
  VMALLOC_START,
];

/** What precondition.ts reports. */
const PRECONDITIONS: readonly string[] = ["I10", "I11"];

/** What `prepare` has returned, which code from outside may have wrong. */
function scriptsOf({ name, cpus }: Scenario, scripts: unknown): readonly (Script | undefined)[] {
  const isScript = (one: unknown): boolean => one === undefined || typeof one === "function";
  if (!Array.isArray(scripts) || !scripts.every(isScript)) {
    const found = scripts === undefined ? scripts : Object.prototype.toString.call(scripts);
    throw new BadInput(`${name}.prepare`, found, "return a list of what each CPU does");
  }
  if (scripts.length > cpus) {
    const found = `${scripts.length} scripts`;
    throw new BadInput(`${name}.prepare`, found, `there are ${cpus} CPUs: return one for each`);
  }
  return scripts as readonly Script[];
}

/** A script that ends with kernel code in its hands has not run it. */
function checkEnd(result: unknown, path: string): void {
  const isCode = typeof result === "object" && result !== null && Symbol.iterator in result;
  if (isCode && "next" in result) {
    throw new BadInput(path, "returns kernel code", "write yield* where it calls kernel code");
  }
}

export class ScenarioSystem implements System {
  readonly executor: Executor;
  readonly log: ViolationLog;
  private readonly stage: Stage;
  private readonly scripts: readonly (Script | undefined)[];
  private readonly restores: readonly Restore[];
  /** What could be done when somebody asked last; null: that was before another step. */
  private possible: number | null = null;

  constructor(
    private readonly scenario: Scenario,
    subject: Subject,
  ) {
    const { policy, protocol, mutation, memory, ownCheckers, codeFrom } = subject;
    const { kernel: special = {}, cpus } = scenario;
    const description = explorerMachine(cpus, special.invlpgb === true);
    const machine = new Machine(description, { callers: "trusted", watch: true });
    const options = {
      pcid: protocol.traits.pcid !== "none",
      flushCeiling: 33,
      idle: "mwait",
      vmaLocks: protocol.traits.vmaLocks,
      quarantinesFrames: true,
      ...special,
      ...(mutation !== undefined && { mutation }),
    } as const;
    const kernel = startKernel({ machine, policy, protocol, options });
    this.executor = new Executor(kernel, memory, PAGES);
    this.log = new ViolationLog(this.executor.history);
    this.executor.hasTicks = scenario.ticks === true && protocol.tick !== undefined;
    const checkers = checkersFor(kernel, this.log, [forgottenFlushes, ...(ownCheckers ?? [])]);
    this.executor.watch = checkers.watch;
    for (const state of this.executor.states) this.executor.advance(state);
    this.stage = new Stage(kernel, this.executor);
    this.scripts = scriptsOf(scenario, scenario.prepare(this.stage));
    this.stage.isPreparing = false;
    this.checkPreparation();
    this.executor.begin();
    const snapshot = machine.snapshot();
    this.executor.witness = codeFrom === "outside" ? new Witness(scenario.name) : null;
    this.restores = [saveKernel(kernel), checkers.save(), () => machine.restore(snapshot)];
  }

  /** What the start owes to calls against their contract is no start of anything. */
  private checkPreparation(): void {
    const broken = this.log.violations.find(({ invariant }) => PRECONDITIONS.includes(invariant));
    if (broken === undefined) return;
    throw new Error(`the preparation breaks ${broken.invariant}: ${broken.message}`);
  }

  get name(): string {
    return this.scenario.name;
  }

  get processCount(): number {
    return this.executor.processCount;
  }

  get failed(): boolean {
    return this.log.count > 0;
  }

  get footprint(): Footprint {
    return this.executor.touched;
  }

  get cause(): number {
    return this.executor.touched.cause;
  }

  get violations(): readonly Violation[] {
    return this.log.violations;
  }

  /** Of a schedule that has failed before. */
  get violation(): Violation {
    const [violation] = this.violations;
    if (violation !== undefined) return violation;
    const remedy = "the replay diverged: keep state in cells, take no chance";
    throw new BadInput(this.name, "recorded a violation, now none", remedy);
  }

  restart(): void {
    const { executor, log } = this;
    executor.witness?.restart();
    this.possible = null;
    executor.takeBack();
    for (const restore of this.restores) restore();
    log.clear();
    for (const state of executor.states) {
      const script = this.scripts[state.cpu.id];
      state.cpu.current.stack.push(new Activation(this.scriptFor(state.cpu.id, script), "task"));
    }
    executor.restart();
  }

  private *scriptFor(id: number, script: Script | undefined): KernelCode {
    const cpu = this.executor.kernel.cpus[id]!;
    if (script !== undefined) {
      yield* enterKernel(cpu);
      const path = `${this.scenario.name}: script of CPU ${id}`;
      checkEnd(yield* call(coroutineOf(script(cpu), path)), path);
    }
    if (cpu.current === cpu.idle) yield* cpu.idle.program(cpu.idle);
    yield* this.stage.rest();
  }

  enabled(): number {
    return (this.possible = this.executor.enabled());
  }

  step(process: number, choices: Choices): void {
    const { executor } = this;
    const { witness } = executor;
    if (witness === null) return executor.step(process, choices);
    witness.step(process, this.possible ?? executor.enabled());
    this.possible = null;
    executor.step(process, choices);
    witness.chose(choices.made);
  }

  repeat(process: number, choices: Choices): void {
    const { executor } = this;
    this.possible = null;
    executor.witness?.repeat(executor.enabled());
    executor.repeat(process, choices);
  }

  blocked(): readonly { readonly process: number; readonly footprint: Footprint }[] {
    return this.executor.blocked();
  }

  /**
   * What is left over counts when it is known what is shared: until then, a store to what is taken
   * for private passes those that wait in the buffer.
   */
  finish(): void {
    if (!this.executor.locations.grew || this.waits.length > 0) this.conclude();
  }

  /** The same of a schedule that is known to end here. */
  conclude(): void {
    const { kernel } = this.executor;
    const { waits } = this;
    const first = kernel.cpus[waits[0]?.cpu ?? 0]!;
    this.executor.emit(
      first,
      waits.length > 0 ? { kind: "deadlock", waits } : { kind: "cameToRest" },
    );
  }

  /** Who waits for another CPU, and not for as long as it takes. */
  private get waits(): readonly WaitingCpu[] {
    return this.executor.states
      .filter(({ top }) => ["wait", "queue"].includes(top.pending!.kind))
      .map(({ cpu, top }) => ({
        cpu: cpu.id,
        task: cpu.current.name,
        cell: (top.pending as { cell: { name: string } }).cell.name,
      }));
  }
}
