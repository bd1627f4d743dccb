// What `explore` is asked for, as a list of jobs.

import { BadInput, readName } from "../base/bad-input.ts";
import { BringingIn } from "../catalogue/bring-in.ts";
import {
  type Catalogue,
  type EntryKind,
  type Entries,
  entryIn,
  type Extension,
} from "../catalogue/catalogue.ts";
import { type CodeFiles, isCodeFile } from "../catalogue/code-file.ts";
import type { MemoryModel } from "./execution/execution.ts";
import {
  type ExploreJob,
  jobShowing,
  MEMORY_MODELS,
  mutationJobs,
  playedBy,
  type Played,
  scenarioOf,
} from "./explore-job.ts";
import { fits, type Scenario } from "./scenarios/scenario.ts";
import { checkScenario, loadScenarios } from "./scenarios/scenario-file.ts";
import { SCENARIO_NAMES, scenarioNamed, SCENARIOS } from "./scenarios/scenarios.ts";

/** A name, a file, or the thing itself. */
type Choice<T> = string | T;

export interface Selection {
  /** Names, files of scenarios, or scenarios. */
  readonly scenarios?: readonly Choice<Scenario>[];
  readonly policy?: Choice<Entries["policies"]>;
  readonly protocol?: Choice<Entries["protocols"]>;
  readonly mutation?: Choice<Entries["mutations"]>;
  readonly memory?: string;
  /** Watch beside the package's checkers. */
  readonly checkers?: readonly Choice<NonNullable<Extension["checkers"]>[number]>[];
  /** Files of code from outside, whose names may be used above. */
  readonly files?: readonly string[];
}

/** What names stand for where that is in no file. */
export interface OwnValues {
  readonly catalogue: Catalogue;
  readonly scenarios: ReadonlyMap<string, Scenario>;
}

export interface Plan {
  readonly jobs: readonly ExploreJob[];
  /** Null: everything is of the package or in files. */
  readonly values: OwnValues | null;
}

/** The kernels that were chosen, by axis; an axis that is absent was left open. */
interface ChosenKernels {
  readonly policies?: readonly string[];
  readonly protocols?: readonly string[];
  readonly memory?: MemoryModel;
}

const DEFAULT_PROTOCOL = "linux-6.18";
/** Kernels that must be correct in every scenario. */
const CORRECT_POLICIES = ["refcounted", "shoot-lazies", "exit-unlazy", "hazard-pointer"];

/**
 * Without a selection: every scenario with the kernels that must be correct and those that it is
 * about, and every mutation in the scenario that shows it. A mutation without a scenario is
 * explored where it shows.
 *
 * @param only - of the scenarios of a file, the one of this name
 */
export async function planJobs(selection: Selection, only?: string): Promise<Plan> {
  const planning = new Planning(only);
  return planning.plan(selection);
}

/** What the names of a job stand for, in this thread. */
export async function playedHere(
  job: ExploreJob,
  values: OwnValues | undefined,
  code: CodeFiles,
): Promise<Played> {
  if (values === undefined) return playedBy(job, code);
  const scenario = values.scenarios.get(job.name) ?? (await scenarioOf(job, code));
  return { scenario, catalogue: values.catalogue };
}

/** A scenario of the package, one from a file, or one that was handed over. */
interface Found {
  readonly scenario: Scenario;
  readonly file?: string;
}

class Planning {
  private readonly bringing = new BringingIn();
  private readonly ownScenarios = new Map<string, Scenario>();

  constructor(private readonly only: string | undefined) {}

  async plan(selection: Selection): Promise<Plan> {
    const { scenarios = [], files = [], checkers = [] } = selection;
    for (const [key, list] of Object.entries({ scenarios, files, checkers })) {
      if (!Array.isArray(list)) throw new BadInput(key, list, "give a list");
    }
    const named: Found[] = [];
    for (const one of scenarios) named.push(...(await this.found(one)));
    for (const file of files) await this.bringing.file(file);
    for (const checker of checkers) await this.chosen("checkers", checker, "--checker");
    const kernels = await this.kernels(selection);
    const mutations = await this.chosen("mutations", selection.mutation, "--mutation");
    for (const found of named) this.checkNames(found);
    const jobs = this.jobs(named, kernels, mutations);
    if (jobs.length === 0) throw new BadInput("SCENARIO", scenarios, "nothing fits; name others");
    const { catalogue } = this.bringing;
    const own = catalogue.files;
    const hasValues = this.bringing.hasValues || this.ownScenarios.size > 0;
    return {
      jobs: own.length === 0 ? jobs : jobs.map((job) => ({ ...job, files: own })),
      values: hasValues ? { catalogue, scenarios: this.ownScenarios } : null,
    };
  }

  private jobs(
    named: readonly Found[],
    kernels: ChosenKernels,
    mutations: readonly string[] | undefined,
  ): readonly ExploreJob[] {
    if (mutations !== undefined && mutations.some((name) => name !== "none")) {
      return mutations.flatMap((mutation) =>
        named.length === 0
          ? this.mutatedJobs(this.shownIn(mutation), mutation, kernels)
          : named.flatMap((each) => this.mutatedJobs(each, mutation, kernels)),
      );
    }
    if (named.length > 0) return named.flatMap((each) => this.correctJobs(each, kernels));
    const correct = SCENARIOS.filter((scenario) => this.canRun(scenario, kernels)).flatMap(
      (scenario) => this.correctJobs({ scenario }, kernels),
    );
    const isAll = mutations === undefined && Object.keys(kernels).length === 0;
    return isAll ? [...correct, ...mutationJobs()] : correct;
  }

  /** Kernels that a scenario names are there, now that all code has been brought in. */
  private checkNames({ scenario, file = "scenarios" }: Found): void {
    const { name, protocols = [], breaks = [] } = scenario;
    const check = (kind: "policies" | "protocols", names: readonly string[], key: string): void => {
      const known = [...this.bringing.catalogue[kind].keys()];
      for (const each of names) readName(`${file}: ${name}.${key}`, each, known);
    };
    check("protocols", protocols, "protocols");
    for (const each of breaks) {
      for (const kind of ["policies", "protocols"] as const) {
        const { [kind]: which = [] } = each;
        if (typeof which !== "function") check(kind, which, `breaks.${kind}`);
      }
    }
  }

  /** What a word of the selection stands for: one scenario, or those of a file. */
  private async found(word: Choice<Scenario>): Promise<readonly Found[]> {
    if (typeof word !== "string") {
      checkScenario("scenarios", word, new Set([...SCENARIO_NAMES, ...this.ownScenarios.keys()]));
      this.ownScenarios.set(word.name, word);
      return [{ scenario: word }];
    }
    if (isCodeFile(word)) {
      const scenarios = await loadScenarios(word);
      const parts = await this.bringing.partsIn(word);
      if (Object.keys(parts).length > 0) await this.bringing.file(word);
      const { only } = this;
      if (only !== undefined) {
        const names = scenarios.map(({ name }) => name);
        readName(word, only, names);
      }
      return scenarios
        .filter(({ name }) => only === undefined || name === only)
        .map((scenario) => ({ scenario, file: word }));
    }
    return [{ scenario: scenarioNamed(readName("SCENARIO", word, SCENARIO_NAMES)) }];
  }

  /** The names that a choice stands for; undefined: none was made. */
  private async chosen(
    kind: EntryKind | "checkers",
    choice: unknown,
    path: string,
  ): Promise<readonly string[] | undefined> {
    if (choice === undefined) return undefined;
    if (typeof choice !== "string") return [this.bringing.value(kind, choice, path)];
    if (isCodeFile(choice)) return this.bringing.namesIn(choice, kind, path);
    if (kind === "checkers") throw new BadInput(path, choice, "give the file of a checker");
    if (kind === "mutations" && choice === "none") return ["none"];
    const more = kind === "mutations" ? ["none"] : [];
    return [readName(path, choice, [...more, ...this.bringing.catalogue[kind].keys()])];
  }

  private async kernels(selection: Selection): Promise<ChosenKernels> {
    const policies = await this.chosen("policies", selection.policy, "--policy");
    const protocols = await this.chosen("protocols", selection.protocol, "--protocol");
    const { memory } = selection;
    return {
      ...(policies !== undefined && { policies }),
      ...(protocols !== undefined && { protocols }),
      ...(memory !== undefined && { memory: readName("--memory", memory, MEMORY_MODELS) }),
    };
  }

  /** A scenario under every kernel that it must be explored with, as far as none is chosen. */
  private correctJobs({ scenario, ...from }: Found, chosen: ChosenKernels): readonly ExploreJob[] {
    const { name, protocols: others = [] } = scenario;
    const { memory = "tso", policies = this.policiesFor(scenario) } = chosen;
    const { protocols = [DEFAULT_PROTOCOL, ...others] } = chosen;
    return protocols.flatMap((protocol) => {
      this.refuseUnfit(scenario, protocol);
      return policies.map((policy) => {
        return { name, ...from, policy, protocol, mutation: "none", memory } as const;
      });
    });
  }

  private policiesFor({ everyPolicy, onePolicy }: Scenario): readonly string[] {
    if (onePolicy === true) return CORRECT_POLICIES.slice(0, 1);
    return everyPolicy === true ? this.everyPolicy() : CORRECT_POLICIES;
  }

  /** All of the package that go with protocols newer than linux-4.8. */
  private everyPolicy(): readonly string[] {
    const all = [...this.bringing.catalogue.policies.values()];
    return all.filter(({ traits }) => traits.era === "any").map(({ name }) => name);
  }

  /** With the kernel that shows the mutation elsewhere, where one does. */
  private mutatedJobs(
    { scenario, ...from }: Found,
    mutation: string,
    { policies, protocols, memory }: ChosenKernels,
  ): readonly ExploreJob[] {
    const { catalogue } = this.bringing;
    const shown = mutation === "none" ? undefined : jobShowing(mutation, catalogue);
    return (protocols ?? [shown?.protocol ?? DEFAULT_PROTOCOL]).flatMap((protocol) => {
      this.refuseUnfit(scenario, protocol);
      return (policies ?? [shown?.policy ?? "refcounted"]).map((policy): ExploreJob => {
        const model = memory ?? shown?.memory ?? "tso";
        return { name: scenario.name, ...from, policy, protocol, mutation, memory: model };
      });
    });
  }

  /** The scenario that shows the mutation. */
  private shownIn(mutation: string): Found {
    const shown = jobShowing(mutation, this.bringing.catalogue);
    if (shown === undefined)
      throw new BadInput("--mutation", mutation, "no scenario shows it: name one");
    return { scenario: scenarioNamed(readName("scenario", shown.name, SCENARIO_NAMES)) };
  }

  private canRun(scenario: Scenario, { protocols = [DEFAULT_PROTOCOL] }: ChosenKernels): boolean {
    return protocols.every((name) => fits(scenario, this.protocol(name)));
  }

  private refuseUnfit(scenario: Scenario, protocol: string): void {
    if (fits(scenario, this.protocol(protocol))) return;
    const all = [...this.bringing.catalogue.protocols.values()];
    const fitting = all.filter((each) => fits(scenario, each)).map(({ name }) => name);
    const remedy = `${scenario.name} needs one of ${fitting.join(", ")}`;
    throw new BadInput("--protocol", protocol, remedy);
  }

  private protocol(name: string): Entries["protocols"] {
    return entryIn(this.bringing.catalogue, "protocols", name, "--protocol");
  }
}
