// `shootdown explore [SCENARIO...]`: every interleaving of small scenarios.

import { Command, Option } from "commander";
import { readCount } from "../experiment/experiment.ts";
import { MAX_WORKERS, defaultWorkers } from "../experiment/workers.ts";
import type { Counterexample } from "../explore/counterexample.ts";
import { unreachable } from "../base/assert.ts";
import { BadInput } from "../base/bad-input.ts";
import { readCounterexample } from "../explore/recorded-counterexample.ts";
import type { ReplayedCounterexample } from "../explore/replay-counterexample.ts";
import {
  type ExploreResult,
  isAsExpected,
  type ScenarioResult,
} from "../explore/scenario-result.ts";
import { ONE_OF_TWO } from "../explore/search/bounds.ts";
import type { Selection } from "../explore/explore-plan.ts";
import { FILE_EXECUTIONS } from "../explore/explore-job.ts";
import { SCENARIOS } from "../explore/scenarios/scenarios.ts";
import { formatCounterexample, formatExploration } from "../report/exploration-text.ts";
import { formatSequence } from "../report/schedule-table.ts";
import { carryOut } from "./carry-out.ts";
import { type Asked, filesOf, type Tell, type Told } from "./exploration.ts";
import { explorationProgress, type ProgressLine } from "./exploration-progress.ts";
import { inThread } from "./exploration-thread.ts";
import { failCheck } from "./failure.ts";
import { fileOption, idleSeedOption, jsonOption } from "./options.ts";
import { type ResultFile, resultFile } from "./result-file.ts";
import { note, paintFor, print, save, toJson } from "./output.ts";
import { untilSignal } from "./signals.ts";

/** Where nobody says how wide the paper is. */
const COLUMNS = 140;
const MOST = 1_000_000_000;
/** What a file of a diagram can end in; in Markdown it stands in a fence. */
const DIAGRAM_FILES = [".mmd", ".mermaid", ".md", ".txt"];

interface Options extends Omit<Selection, "scenarios" | "files" | "checkers"> {
  readonly json?: true;
  readonly checker?: readonly string[];
  readonly code?: readonly string[];
  readonly maxSteps?: number;
  readonly maxExecutions?: number;
  readonly preemptionBound?: number;
  readonly time?: number;
  readonly reduction?: "none" | "source";
  readonly workers?: number;
  readonly replay?: string;
  readonly diagram?: ResultFile;
}

export function exploreCommand(): Command {
  return new Command("explore")
    .description("every interleaving of small scenarios, under x86-TSO")
    .argument("[scenario...]", "scenarios, or files of them (default: all, and every mutation)")
    .option("--policy <NAME>", "lazy-TLB policy: a name, or a file of one's own")
    .option("--protocol <NAME>", "shootdown protocol, the same")
    .option("--mutation <NAME>", "one way in which the kernel is wrong, the same; or none")
    .addOption(fileOption("--checker", "a checker of one's own, which watches too (repeatable)"))
    .addOption(fileOption("--code", "a file whose names may be used (repeatable)"))
    .option("--memory <MODEL>", "sc or tso (default: tso)")
    .addOption(counted("--max-steps", "cut longer executions (default: 1000)"))
    .addOption(
      counted("--max-executions", `end after so many executions (of a file: ${FILE_EXECUTIONS})`),
    )
    .addOption(counted("--preemption-bound", "at most so many preemptions; no reduction then"))
    .addOption(counted("--time", "end each exploration after so many seconds"))
    .addOption(
      new Option("--reduction <KIND>", "partial-order reduction").choices(["none", "source"]),
    )
    .addOption(counted("--workers", "worker threads (default: at most 2)", MAX_WORKERS))
    .option("--replay <FILE>", "run the first counterexample of a --json document again")
    .addOption(
      new Option(
        "--diagram <FILE>",
        "save the first counterexample as a Mermaid diagram",
      ).argParser((path: string) => resultFile("--diagram", path, DIAGRAM_FILES)),
    )
    .addOption(jsonOption())
    .addOption(idleSeedOption())
    .addHelpText("after", `\nScenarios:\n${describeScenarios()}`)
    .action(explore);
}

async function explore(scenarios: readonly string[], options: Options): Promise<void> {
  const asked = askedBy(scenarios, options);
  const signals = untilSignal();
  const outcome = new Outcome();
  try {
    const tell: Tell = (told) => outcome.take(told);
    const { signal } = signals;
    if (filesOf(asked).length > 0) await inThread(asked, tell, signal);
    else await carryOut(asked, tell, { signal, isStopped: () => signal.aborted });
    outcome.stopProgress();
    outcome.deliver(options);
    if (signal.aborted) outcome.noteInterrupted(asked);
  } finally {
    outcome.stopProgress();
    signals.stop();
  }
}

function askedBy(scenarios: readonly string[], options: Options): Asked {
  const { checker: checkers = [], code: files = [], replay } = options;
  if (replay !== undefined) return { kind: "replay", recorded: readCounterexample(replay) };
  const { policy, protocol, mutation, memory } = options;
  const { maxSteps, maxExecutions, preemptionBound, time, reduction } = options;
  const bounds = {
    ...(maxSteps !== undefined && { maxSteps }),
    ...(maxExecutions !== undefined && { maxExecutions }),
    ...(preemptionBound !== undefined && { preemptionBound }),
    ...(time !== undefined && { seconds: time }),
    ...(reduction !== undefined && { reduction }),
  };
  if (reduction === "source" && preemptionBound !== undefined) {
    throw new BadInput("--reduction", reduction, ONE_OF_TWO);
  }
  return {
    kind: "explore",
    selection: {
      scenarios,
      checkers,
      files,
      ...(policy !== undefined && { policy }),
      ...(protocol !== undefined && { protocol }),
      ...(mutation !== undefined && { mutation }),
      ...(memory !== undefined && { memory }),
    },
    options: { ...bounds, workers: options.workers ?? defaultWorkers() },
  };
}

/** What an exploration has come to, as it is told. */
class Outcome {
  private jobs = 0;
  private begun = 0;
  private results: readonly ScenarioResult[] = [];
  private replayed: ReplayedCounterexample | null = null;
  /** None before it is known what there is to explore: most bad input is told by then. */
  private progress: ProgressLine | null = null;

  take(told: Told): void {
    switch (told.kind) {
      case "planned":
        this.jobs = told.jobs;
        this.progress = explorationProgress();
        return;
      case "begun":
        this.begun++;
        return;
      case "progress":
        return this.progress?.update(told.progress);
      case "result":
        this.results = [...this.results, told.result];
        return;
      case "done":
        this.results = told.scenarios;
        return;
      case "replayed":
        this.replayed = told.replayed;
        return;
      default:
        return unreachable(told);
    }
  }

  stopProgress(): void {
    this.progress?.stop();
    this.progress = null;
  }

  deliver(options: Options): void {
    if (options.replay === undefined) deliver({ scenarios: this.results }, options);
    else if (this.replayed !== null) deliverReplayed(this.replayed, options.replay, options);
  }

  noteInterrupted({ kind }: Asked): void {
    const covered = `: ${this.begun} of ${this.jobs} explorations were begun`;
    note(`interrupted${kind === "explore" ? covered : ""}`);
    failCheck();
  }
}

function deliver(result: ExploreResult, { json, diagram }: Options): void {
  if (!result.scenarios.every(isAsExpected)) failCheck();
  const first = result.scenarios.flatMap(({ violations }) => violations)[0];
  const columns = process.stdout.columns ?? COLUMNS;
  const layout = { paint: paintFor(process.stdout), columns };
  if (diagram?.isStdout !== true) print(json ? toJson(result) : formatExploration(result, layout));
  if (first !== undefined) saveDiagram(diagram, first);
}

function deliverReplayed(
  { job, recorded, counterexample }: ReplayedCounterexample,
  path: string,
  { json, diagram }: Options,
): void {
  if (counterexample === null) {
    failCheck();
    note(`${path}: the schedule does not violate ${recorded} any more`);
    return;
  }
  const document = { ...job, violations: [counterexample] };
  const columns = process.stdout.columns ?? COLUMNS;
  if (diagram?.isStdout !== true) {
    print(json ? toJson(document) : formatCounterexample(counterexample, columns));
  }
  saveDiagram(diagram, counterexample);
}

/** What it is drawn from is on stdout by then. */
function saveDiagram(file: ResultFile | undefined, counterexample: Counterexample): void {
  if (file === undefined) return;
  const diagram = formatSequence(counterexample);
  const text = file.path.endsWith(".md") ? `\`\`\`mermaid\n${diagram}\`\`\`\n` : diagram;
  save(file, text, { isPrinted: true });
}

const counted = (flag: string, text: string, most = MOST): Option =>
  new Option(`${flag} <N>`, text).argParser((value) => readCount(value, flag, most));

const describeScenarios = (): string =>
  SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(30)} ${summary}`).join("\n");
