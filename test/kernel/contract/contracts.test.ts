// Every function of kernel code has a contract, or a reason to have none; whoever calls it against
// its contract is told, and whoever keeps to it is not.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { ROOT, SOURCE_FILES } from "../../tidy/source-files.ts";
import { play, runOn } from "../lab.ts";
import { brokenCallsOf, keptCall, neededBy } from "./broken-call.ts";
import { type Contract, type Given, givenOf, type Rows } from "./contract.ts";
import { CONTRACTS, ROWS } from "./rows.ts";

const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor;

/** The generator functions that the files of kernel code export, as "folder/file function". */
async function exportedFunctions(): Promise<string[]> {
  const found: string[] = [];
  for (const { path } of SOURCE_FILES) {
    const [, file] = /^src\/kernel\/(.*)\.ts$/.exec(path) ?? [];
    if (file === undefined) continue;
    const url = pathToFileURL(join(ROOT, "dist", "kernel", `${file}.js`)).href;
    const module = (await import(url)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) {
      if (value instanceof GeneratorFunction) found.push(`${file} ${name}`);
    }
  }
  return found.toSorted();
}

/** Of files with a row for all functions each of them. */
const withRows = (rows: Rows, functions: readonly string[]): string[] =>
  Object.entries(rows)
    .flatMap(([file, row]) =>
      typeof row === "string"
        ? functions.filter((name) => name.startsWith(`${file} `))
        : Object.keys(row).map((name) => `${file} ${name}`),
    )
    .toSorted();

test("each exported function of kernel code has a row, and each row a function", async () => {
  const functions = await exportedFunctions();
  expect(functions.length).toBeGreaterThan(200);
  expect(withRows(ROWS, functions)).toEqual(functions);
});

/** The first two columns of the tables of a page, under headings that name a folder. */
function contractsOf(page: string): string[] {
  const found: string[] = [];
  let folder = "";
  for (const line of page.split("\n")) {
    folder = /^## .*`src\/kernel\/(\w+)\/`$/.exec(line)?.[1] ?? folder;
    const [, name, needed] = /^\| `(\S+ \w+)` +\| (.*?) +\|/.exec(line) ?? [];
    if (name !== undefined) found.push(`${folder}/${name}: ${needed}`);
  }
  return found.toSorted();
}

test("docs/contracts.md has each contract", () => {
  const page = readFileSync(join(ROOT, "docs/contracts.md"), "utf8");
  const expected = CONTRACTS.map(([name, contract]) => {
    const names = neededBy(contract).map(({ need }) => need.name);
    return `${name}: ${names.join(", ")}`;
  });
  expect(contractsOf(page)).toEqual(expected.toSorted());
});

/** What is reported of a call by CPU 0, which has an mm loaded. */
function reported(
  { protocol = linux513, pti }: Contract,
  call: (given: Given) => KernelCode,
): { readonly given: Given; readonly reports: readonly string[]; readonly ended: string } {
  let given: Given | undefined;
  const { violations, ended } = play(
    { protocol, kernel: { pti: pti === true } },
    function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      given = givenOf(cpu, cpu.kernel.cpus[1]!, mm);
      yield* call(given);
    },
  );
  const reports = violations.map(({ invariant, message }) => `${invariant}: ${message}`);
  return { given: given!, reports, ended };
}

test.each(CONTRACTS)("%s tells of each way to call it wrongly", (_name, contract) => {
  const calls = brokenCallsOf(contract);
  expect(calls.length).toBeGreaterThan(0);
  for (const { code, report } of calls) {
    const { given, reports } = reported(contract, code);
    expect(reports[0]).toBe(report(given));
  }
});

const COMING_BACK = CONTRACTS.filter(([, { comesBack = true }]) => comesBack);

test.each(COMING_BACK)("%s tells nothing of a call that keeps to it", (_name, contract) => {
  const { reports, ended } = reported(contract, (given) => keptCall(contract, given));
  expect(reports.filter((report) => report.includes(" called "))).toEqual([]);
  expect(ended).toBe("stopped");
});
