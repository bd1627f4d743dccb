import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { shootdown } from "./command.ts";
import { endlessLink, scratch } from "../scratch.ts";

const { folder, file } = scratch("bad-input");

const cases: readonly (readonly [what: string, words: readonly string[], says: RegExp])[] = [
  ["a misspelt axis", ["run", "--set", "coers=2"], /^--set coers=2: "coers": did you mean cores\?/],
  ["an unknown preset", ["run", "--set", "cpu=skylark"], /^--set cpu=skylark: "skylark": /],
  ["an unknown policy", ["run", "--set", "lazyTlb=lazy"], /^--set lazyTlb=lazy: "lazy": one of /],
  ["a misspelt mistake", ["run", "--mutation", "prev-mm"], /^--mutation: "prev-mm": did you mean/],
  ["a negative count", ["run", "--set", "rounds=-1"], /^--set rounds=-1: "-1": rounds is a whole/],
  ["too many cores", ["run", "--set", "cores=1025"], /^--set cores=1025: "1025": cores is a whole/],
  [
    "PCID where there is none",
    ["run", "munmap", "--set", "cpu=rome", "--set", "pcid=true"],
    /PCID/,
  ],
  [
    "a policy that the protocol would break",
    ["run", "munmap", "--set", "protocol=broadcast", "--set", "lazyTlb=null-prev,fewer-parameters"],
    /^--set lazyTlb=null-prev,.*: "null-prev": null-prev relies on exit_mmap .*; leave it out or/,
  ],
  [
    "a policy that a broadcast would break",
    ["run", "--set", "cpu=milan", "--set", "protocol=linux-6.18"].concat([
      "--set",
      "invlpgb=true",
      "--set",
      "lazyTlb=null-prev",
    ]),
    /^--set lazyTlb=null-prev: "null-prev": .* which a broadcast does not; leave it out or choose/,
  ],
  [
    "a feature that the protocol has no use for",
    ["run", "munmap", "--set", "cpu=milan", "--set", "protocol=latr", "--set", "invlpgb=true"],
    /^--set invlpgb=true: true: latr knows no INVLPGB; leave it out or choose another$/m,
  ],
  [
    "a protocol of another maker's CPU",
    ["run", "munmap", "--set", "protocol=rar", "--set", "cpu=milan"],
    /^--set protocol=rar: "rar": rar is Intel's, milan is not; leave it out or choose another$/m,
  ],
  [
    "isolation where nobody flushes user PCIDs",
    ["run", "munmap", "--set", "protocol=didi", "--set", "pti=true"],
    /^--set pti=true: true: didi flushes no user PCIDs, .*; leave it out or choose another$/m,
  ],
  ["an unknown experiment", ["run", "munmpa"], /^munmpa: missing: .*did you mean munmap\?/],
  ["a directory for an experiment", ["run", folder], /: "a directory": name the YAML or JSON/],
  ["malformed YAML", ["run", file("m.yaml", "axes:\n  cores: [2,\n")], /m\.yaml:\d+:\d+: /],
  ["an unknown key", ["run", file("k.yaml", "worklods: munmap\n")], /: "worklods": did you mean/],
  ["a link that leads to itself", ["run", endlessLink(folder, "loop")], /loop: "a link that leads/],
  ["a recording that leads to itself", ["replay", join(folder, "loop")], /loop: "a link that/],
  ["a file without an end", ["run", "/dev/zero"], /^\/dev\/zero: "more than 64 MiB": /],
  ["a device for code", ["run", "--protocol", "/dev/zero"], /^code: "\/dev\/zero": no plain file/],
  [
    "an option with what a terminal obeys",
    ["run", "--\u001B[31m"],
    /^--\\u001b\[31m: unknown option: /,
  ],
  ["an alias of nothing", ["run", file("n.yaml", "axes: *x\n")], /n\.yaml:1:7: .*no &x does/],
  ["an empty file", ["run", file("e.yaml", "")], /e\.yaml: "an empty file": /],
  ["a negative seed", ["run", "--seed", "-1"], /^--seed: "-1": a whole number/],
  ["no seeds", ["run", "--seeds", "0"], /^--seeds: "0": a whole number of 1/],
  ["no workers", ["run", "--workers", "0"], /^--workers: "0": a whole number of 1/],
  [
    "an unknown option",
    ["run", "--sed", "1"],
    /^--sed: unknown option: did you mean one of --seed, --set\?/,
  ],
  ["an option without its value", ["run", "--seed"], /^--seed: missing: give it a value/],
  ["two formats at once", ["run", "--json", "--csv"], /^--json: /],
  ["two experiments", ["run", "munmap", "madvise"], /^arguments: too many/],
  ["a file in no directory", ["run", "--out", join(folder, "no/x.json")], /^--out: .*make the dir/],
  ["a directory to save to", ["run", "--out", folder], /^--out: .*: a directory; give/],
  [
    "an unknown command",
    ["rum"],
    /^command: "rum": did you mean run\? one of run, replay, verify, explore, walk, presets/,
  ],
  ["no command", [], /^command: missing: one of run, replay, verify, explore, walk, presets, perf/],
  ["no trace", ["replay"], /^trace: missing/],
  ["an empty trace", ["replay", file("empty.txt", "")], /empty\.txt/],
  ["a trace that is not there", ["replay", join(folder, "none.txt")], /none\.txt: /],
  ["a directory for a trace", ["replay", folder], /^\S+: \S/],
  ["a truncated trace", ["replay", file("cut.txt.gz", "\u001f\u008b\u0008")], /cut\.txt\.gz/],
  [
    "an unknown preset's name",
    ["presets", "skylake"],
    /^presets: "skylake": did you mean skylake-sp/,
  ],
  ["an unknown scenario", ["perf", "acces-walk"], /^perf: "acces-walk": did you mean access-walk/],
];

describe("bad input ends with exit code 2 and one line", () => {
  test.for(cases)("%s", async ([, words, says], { expect: must }) => {
    const { code, stdout, stderr } = await shootdown(...words);
    must(stderr).toMatch(/^shootdown: [^\n]+\n$/);
    must(stderr.replace("shootdown: ", "")).toMatch(says);
    must(stdout).toBe("");
    must(code).toBe(2);
  });
});

test.for(["verify", "explore", "presets", "perf"])(
  "%s takes a seed, and says that it is of no use",
  async (command, { expect: must }) => {
    const { stdout } = await shootdown(command, "--help");
    must(stdout).toMatch(/--seed <N>\s+accepted by every command; without\s+effect here/);
  },
);

test("commands that the package does not have are not there", async () => {
  const { stdout, code } = await shootdown("--help");
  expect(code).toBe(0);
  expect([...stdout.matchAll(/^ {2}(\w+) \[/gm)].map(([, name]) => name)).toEqual([
    "run",
    "replay",
    "verify",
    "explore",
    "walk",
    "presets",
    "perf",
  ]);
});
