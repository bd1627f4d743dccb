// Files of code from outside that are right, in the forms that people write them in.

import { join } from "node:path";
import { expect, test } from "vitest";
import type { ExperimentResult, Row } from "../../src/experiment/result.ts";
import { shootdown } from "../cli/command.ts";
import { scratch } from "../scratch.ts";

const { folder, file } = scratch("code");

async function rowsOf(...words: readonly string[]): Promise<readonly Row[]> {
  const small = ["--set", "cores=2", "--set", "rounds=1", "--workers", "1", "--json"];
  const { stdout, stderr } = await shootdown("run", ...words, ...small);
  expect(stderr).toBe("");
  return (JSON.parse(stdout) as ExperimentResult).rows;
}

const MINE = `
import { protocols } from "shootdown/kernel";
export const mine = { ...protocols["linux-5.13"], name: "mine" };
`;

const protocolsOf = async (words: string): Promise<readonly string[]> => {
  const rows = await rowsOf("munmap", "--protocol", words, "--set", "lazyTlb=refcounted");
  return rows.map(({ configuration }) => configuration.protocol);
};

test("a part may be the default export as well", async () => {
  const path = file("default.ts", `${MINE}export default mine;\n`);
  expect(await protocolsOf(path)).toEqual(["mine"]);
});

test("a file may be named twice, however it is written", async () => {
  const path = file("twice.ts", MINE);
  expect(await protocolsOf(`${path},${path},${join(folder, ".")}/./twice.ts`)).toEqual(["mine"]);
});

test("a file may export a thing of the package, under the name that it has", async () => {
  const path = file("again.ts", `${MINE}export const base = protocols["linux-6.18"];\n`);
  expect(await protocolsOf(path)).toEqual(["linux-6.18", "mine"]);
});

test("a violation in a workload of a file has a command that repeats it", async () => {
  const path = file(
    "work.ts",
    `import { workloads } from "shootdown/kernel";
    export const work = { name: "my-work", summary: "s", program: workloads["fork-exit"].program };
    `,
  );
  const [row] = await rowsOf("--workload", path, "--set", "lazyTlb=unrefcounted");
  const command = row!.violations[0]!.replay.split(" ").slice(2);
  expect(command.slice(0, 2)).toEqual(["--workload", "my-work"]);
  const [again] = await rowsOf(...command);
  expect(again!.violations[0]!.message).toBe(row!.violations[0]!.message);
});
