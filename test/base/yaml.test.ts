// YAML that somebody wrote: what it says, or where it goes wrong, in words of this program.

import { describe, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { parseYaml } from "../../src/base/yaml.ts";

function messageOf(text: string): string {
  try {
    parseYaml(text, "file.yaml");
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
  return "accepted";
}

const brackets = (count: number): string => "[".repeat(count) + "]".repeat(count);

/** Each level names the one before ten times. */
const unfolding = (levels: number): string =>
  Array.from({ length: levels }, (_, level) => {
    const inner = level === 0 ? "1" : `*a${level - 1}`;
    return `a${level}: &a${level} [${Array.from({ length: 10 }, () => inner).join(", ")}]\n`;
  }).join("");

describe("YAML", () => {
  test("may use one alias as often as it likes", () => {
    const parts = Array.from({ length: 200 }, () => "  - *part\n").join("");
    const text = `part: &part {rounds: 1}\nparts:\n${parts}`;
    const { parts: read } = parseYaml(text, "file.yaml") as { readonly parts: readonly unknown[] };
    expect(read).toHaveLength(200);
    expect(read[199]).toEqual({ rounds: 1 });
  });

  test.each([
    ["an alias of nothing", "a: {b: *nope}", "file.yaml:1:8: ", "no &nope does"],
    ["an alias of what it is in", "a: &a {b: *a}", "file.yaml:1:7: ", "that names the whole"],
    ["aliases that unfold to millions", unfolding(7), "file.yaml:5:", "at most 100000 values"],
    ["a map with an order", "a: !!omap\n  - b: 1\n", "file.yaml:2:3: ", "leave out the tag"],
    ["bytes", "a: !!binary aGk=", "file.yaml:1:13: ", "leave out the tag"],
    ["a tag of its own", "a: !mine 5", "file.yaml:1:10: ", "leave out the tag !mine"],
    ["two documents", "a: 1\n---\nb: 2\n", 'file.yaml:2:1: "---": ', "one document in a file"],
    ["brackets in brackets", brackets(5000), "file.yaml:1:", "leave out levels"],
    ["a key twice", "a: 1\na: 2\n", "file.yaml:2:1: ", "write YAML or JSON: map keys must be"],
    ["what is no YAML", "cpu0 [1] 5.0: a: b: c\n", "file.yaml:1:", "write YAML or JSON: nested"],
  ])("with %s is refused with its place", (_what, text, place, remedy) => {
    const message = messageOf(text);
    expect(message.startsWith(place), message).toBe(true);
    expect(message).toContain(remedy);
    expect(message).not.toContain("YAML.");
  });

  test("nested as deeply as it can be read is no more than that", () => {
    expect(messageOf(brackets(300))).toBe("accepted");
  });
});
