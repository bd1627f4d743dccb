// `shootdown explore [SCENARIO...]`: every interleaving of small scenarios.

import { Command, Option } from "commander";
import { readCount } from "../experiment/experiment.ts";
import { MAX_WORKERS, defaultWorkers } from "../experiment/workers.ts";
import type { Counterexample } from "../explore/counterexample.ts";
import { replayCounterexample } from "../explore/replay-counterexample.ts";
import { type ExploreResult, isAsExpected } from "../explore/scenario-result.ts";
import { planJobs, type Selection } from "../explore/explore-plan.ts";
import { exploreAll, FILE_EXECUTIONS } from "../explore/explore.ts";
import { SCENARIOS } from "../explore/scenarios/scenarios.ts";
import { formatCounterexample, formatExploration } from "../report/exploration-text.ts";
import { formatSequence } from "../report/schedule-table.ts";
import { explorationProgress } from "./exploration-progress.ts";
import { failCheck } from "./failure.ts";
import { fileOption, idleSeedOption, jsonOption } from "./options.ts";
import { type ResultFile, resultFile } from "./result-file.ts";
import { note, paintFor, print, save, toJson } from "./output.ts";

/** Where nobody says how wide the paper is. */
const COLUMNS = 140;
const MOST = 1_000_000_000;
/** What ends an exploration early; what was covered until then is printed. A second one kills. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

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
  if (options.replay !== undefined) return replay(options.replay, options);
  const { checker: checkers = [], code: files = [], ...selection } = options;
  const { jobs } = await planJobs({ ...selection, scenarios, checkers, files });
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  for (const signal of SIGNALS) process.once(signal, stop);
  const progress = explorationProgress();
  const { maxSteps, maxExecutions, preemptionBound, time, reduction } = options;
  try {
    const result = await exploreAll(jobs, {
      ...(maxSteps !== undefined && { maxSteps }),
      ...(maxExecutions !== undefined && { maxExecutions }),
      ...(preemptionBound !== undefined && { preemptionBound }),
      ...(time !== undefined && { seconds: time }),
      ...(reduction !== undefined && { reduction }),
      workers: options.workers ?? defaultWorkers(),
      signal: interrupt.signal,
      onProgress: (state) => progress.update(state),
    });
    progress.stop();
    deliver(result, options);
    if (!interrupt.signal.aborted) return;
    note(`interrupted: ${result.scenarios.length} of ${jobs.length} explorations were begun`);
    failCheck();
  } finally {
    progress.stop();
    for (const signal of SIGNALS) process.removeListener(signal, stop);
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

async function replay(path: string, { json, diagram }: Options): Promise<void> {
  const { job, recorded, counterexample } = await replayCounterexample(path);
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

/** What a file of a diagram can end in; in Markdown it stands in a fence. */
const DIAGRAM_FILES = [".mmd", ".mermaid", ".md", ".txt"];

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
