// `shootdown verify [FILE...]`: recorded vectors against the emulated machine.

import { Command, Option } from "commander";
import { BadInput, readName } from "../base/bad-input.ts";
import { PRESET_NAMES, type PresetName } from "../presets/presets.ts";
import { brief } from "../report/number.ts";
import { formatVerification } from "../report/verification.ts";
import { RECORDED_VECTORS } from "../verify/vectors/read-vectors.ts";
import type { ExplainedFailure } from "../verify/vectors/side-by-side.ts";
import { FAILURES_KEPT } from "../verify/vectors/verify-vectors.ts";
import { MOST_FAILURES, verify } from "../verify/vectors/verify-files.ts";
import { failCheck } from "./failure.ts";
import { idleSeedOption, jsonOption } from "./options.ts";
import { note, paintFor, print, toJson } from "./output.ts";

/** Where nobody says how wide the paper is. */
const COLUMNS = 120;

interface Options {
  readonly json?: true;
  readonly cpu?: PresetName;
  readonly failures?: number;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("recorded vectors of paging against the emulated machine")
    .argument("[file...]", "JSONL, plain or gzip; - is stdin (default: those of the package)")
    .addOption(jsonOption())
    .addOption(idleSeedOption())
    .addOption(
      new Option("--cpu <PRESET>", "whose TLBs and caches (default: skylake-sp)").argParser(
        (text) => readName("--cpu", text, PRESET_NAMES),
      ),
    )
    .addOption(
      new Option("--failures <N>", `failures to show (default: ${FAILURES_KEPT})`).argParser(
        readFailures,
      ),
    )
    .action(verifyAndPrint);
}

async function verifyAndPrint(files: readonly string[], options: Options): Promise<void> {
  if (files.length === 0) note(`no FILE given: the recorded vectors, ${RECORDED_VECTORS}`);
  const explained: ExplainedFailure[] = [];
  const { cpu, failures } = options;
  const started = performance.now();
  const verification = await verify(files, {
    ...(cpu !== undefined && { cpu }),
    ...(failures !== undefined && { failures }),
    onFailure: (failure) => explained.push(failure),
  });
  noteRate(verification.cases, (performance.now() - started) / 1000);
  if (verification.failed > 0) failCheck();
  if (options.json) print(toJson(verification));
  else {
    const layout = { paint: paintFor(process.stdout), columns: process.stdout.columns ?? COLUMNS };
    print(formatVerification(verification, explained, layout));
  }
}

/** For somebody who watches. */
function noteRate(cases: number, seconds: number): void {
  if (!process.stderr.isTTY) return;
  note(`${cases} cases in ${seconds.toFixed(1)} s, ${brief(cases / seconds)} a second`);
}

function readFailures(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= MOST_FAILURES) return Number(text);
  throw new BadInput("--failures", text, `a whole number of 0 to ${MOST_FAILURES}`);
}
