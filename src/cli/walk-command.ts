// `shootdown walk ADDRESS`: explains one page walk, of tables that somebody wrote down, of a
// recorded vector, or of a task of a running experiment.

import { Command, Option } from "commander";
import { hex } from "../base/address.ts";
import type { AccessKind } from "../base/architecture.ts";
import { BadInput, readName } from "../base/bad-input.ts";
import { readCount } from "../experiment/experiment.ts";
import { askedSetting, readSetting, type Setting } from "../experiment/settings.ts";
import { MAX_CORES } from "../machine/description.ts";
import { PRESET_NAMES } from "../presets/presets.ts";
import { formatWalk } from "../report/walk-text.ts";
import { explainWalk, type WalkExplanation } from "../report/walk-explanation.ts";
import { WORKLOAD_NAMES } from "../workloads/workloads.ts";
import { DEFAULT_CYCLE, subjectOf, type SubjectOptions } from "./walk-subject.ts";
import { jsonOption, seedOption } from "./options.ts";
import { print, toJson } from "./output.ts";

interface WalkOptions extends SubjectOptions {
  readonly access: AccessKind;
  readonly bytes: number;
  readonly times: number;
  readonly supervisor?: true;
  readonly implicit?: true;
  readonly ac?: true;
  readonly json?: true;
}

const MOST_CYCLES = 1e15;
const MOST_BYTES = 15;
const MOST_TIMES = 1000;
const MOST_OPERATIONS = 1_000_000;
const KINDS = ["read", "write", "execute"] as const;

export function walkCommand(): Command {
  return new Command("walk")
    .description("explains one page walk, step by step, with cycles")
    .argument("<address>", "linear, as hex: 0x7f0000001000", readAddress)
    .addOption(new Option("--tables <FILE>", "tables as JSON: cr3 and mem, and what is unusual"))
    .addOption(new Option("--vector <FILE>", "a file of recorded vectors; --id says which one"))
    .option("--id <ID>", "the vector's id")
    .addOption(counted("--after", "carry out so many of the vector's operations first", 0))
    .addOption(named("--run", "a workload that is running", WORKLOAD_NAMES))
    .addOption(counted("--at", `the cycle (default: ${DEFAULT_CYCLE})`, 0, MOST_CYCLES))
    .addOption(counted("--core", "the core (default: 0)", 0, MAX_CORES - 1))
    .addOption(
      new Option("--set <AXIS=VALUE>", "the workload's configuration (repeatable)").argParser(
        (text: string, before: readonly Setting[] = []) => [
          ...before,
          readSetting(askedSetting(text)),
        ],
      ),
    )
    .addOption(seedOption())
    .addOption(named("--cpu", "the machine of tables and vectors", PRESET_NAMES))
    .addOption(named("--access", "read, write or execute", KINDS).default("read"))
    .addOption(counted("--bytes", "how many bytes it has", 1, MOST_BYTES).default(1))
    .addOption(counted("--times", "explain the N-th of equal accesses", 1, MOST_TIMES).default(1))
    .option("--supervisor", "at CPL 0 (default: CPL 3)")
    .option("--implicit", "the processor's own, to a descriptor table or TSS")
    .option("--ac", "with RFLAGS.AC set")
    .addOption(jsonOption())
    .action(async (address: bigint, options: WalkOptions) => {
      const walk = await explain(address, options);
      print(options.json ? toJson(withHex(walk)) : formatWalk(walk));
    });
}

async function explain(address: bigint, options: WalkOptions): Promise<WalkExplanation> {
  const { access: kind, bytes, times } = options;
  const { machine, core } = await subjectOf(options);
  const access = {
    address,
    kind,
    bytes,
    user: options.supervisor !== true,
    ...(options.implicit && { implicit: true }),
    ...(options.ac && { alignmentCheck: true }),
  };
  for (let index = 1; index < times; index++) machine.access(core, access);
  return explainWalk(machine, core, access);
}

function readAddress(text: string): bigint {
  if (/^0x[0-9a-f]{1,16}$/i.test(text) || /^\d{1,19}$/.test(text)) return BigInt(text);
  throw new BadInput("address", text, "hex of at most 64 bits, as in 0x7f0000001000");
}

function counted(flag: string, text: string, least: number, most = MOST_OPERATIONS): Option {
  return new Option(`${flag} <N>`, text).argParser((value) => {
    if (least === 0 && value === "0") return 0;
    return readCount(value, flag, most);
  });
}

function named<T extends string>(flag: string, text: string, names: readonly T[]): Option {
  return new Option(`${flag} <NAME>`, text).argParser((value) => readName(flag, value, names));
}

/** JSON has no 64-bit integers: hex strings, as in vectors. */
function withHex(value: unknown): unknown {
  if (typeof value === "bigint") return hex(value);
  if (Array.isArray(value)) return value.map(withHex);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withHex(inner)]));
}
