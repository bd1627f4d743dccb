// The shape of the documentation, as far as a program can see it. Each rule is first shown a page
// that breaks it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

interface Page {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  readonly kind: "prose" | "table" | "code";
}

interface Table {
  readonly head: Line;
  readonly rows: readonly Line[];
}

type Rule = (page: Page) => readonly string[];

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAX_WIDTH = 100;
const MAX_CELL = 90;
const MAX_README_LINES = 150;

/** The lines of a page, those of fenced blocks as code and those that begin with | as tables. */
function linesOf({ text }: Page): readonly Line[] {
  let fence: string | null = null;
  return text.split("\n").map((line, index): Line => {
    const [, mark] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
    const isCode = fence !== null || mark !== undefined;
    if (fence === null) fence = mark ?? null;
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = null;
    const kind = isCode ? "code" : /^\s*\|/.test(line) ? "table" : "prose";
    return { number: index + 1, text: line, kind };
  });
}

function tablesOf(page: Page): readonly Table[] {
  const tables: { head: Line; rows: Line[] }[] = [];
  let before: Line | undefined;
  for (const line of linesOf(page)) {
    if (line.kind === "table") {
      if (before?.kind === "table") tables.at(-1)!.rows.push(line);
      else tables.push({ head: line, rows: [] });
    }
    before = line;
  }
  return tables;
}

/** What a reader sees of Markdown: the text of its links, without their targets. */
const visible = (text: string): string => text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");

const cellsOf = ({ text }: Line): readonly string[] =>
  text
    .trim()
    .replace(/^\||(?<!\\)\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

const lengthOf = (text: string): number => [...text].length;

const at = (line: Line, problem: string): string => `line ${line.number}: ${problem}`;

/** One token alone, as a link without spaces, has nowhere to be broken. */
const canBeBroken = (text: string): boolean =>
  /\s/.test(text.trim().replace(/^(?:[-*>]|\d+\.|\[[^\]]+\]:)\s+/, ""));

const isNarrow: Rule = (page) =>
  linesOf(page)
    .filter(({ kind, text }) => kind === "prose" && lengthOf(text) > MAX_WIDTH && canBeBroken(text))
    .map((line) => at(line, `${lengthOf(line.text)} columns`));

const hasShortCells: Rule = (page) =>
  tablesOf(page).flatMap(({ head, rows }) =>
    [head, ...rows.slice(1)].flatMap((line) =>
      cellsOf(line)
        .map((cell) => lengthOf(visible(cell)))
        .filter((length) => length > MAX_CELL)
        .map((length) => at(line, `a cell of ${length} characters`)),
    ),
  );

const hasWholeRows: Rule = (page) =>
  tablesOf(page).flatMap(({ head, rows }) => {
    const count = cellsOf(head).length;
    const isRuled =
      rows[0] !== undefined && cellsOf(rows[0]).every((cell) => /^:?-+:?$/.test(cell));
    if (!isRuled) return [at(head, "a table without a line of dashes below its head")];
    return rows
      .filter((row) => cellsOf(row).length !== count)
      .map((row) => at(row, `${cellsOf(row).length} cells under a head of ${count}`));
  });

const headingsOf = (page: Page): readonly { readonly level: number; readonly title: string }[] =>
  linesOf(page).flatMap(({ kind, text }) => {
    const [, marks, title] = /^(#{1,6})\s+(.*?)\s*#*$/.exec(text) ?? [];
    return kind === "prose" && marks !== undefined ? [{ level: marks.length, title: title! }] : [];
  });

const hasOneTitle: Rule = (page) => {
  const titles = headingsOf(page).filter(({ level }) => level === 1).length;
  return titles === 1 ? [] : [`${titles} headings of the first level`];
};

const isReadAtOnce: Rule = ({ path, text }) => {
  const lines = text.trimEnd().split("\n").length;
  return path === "README.md" && lines > MAX_README_LINES ? [`${lines} lines`] : [];
};

/** The anchors of a page as GitHub makes them. */
function anchorsOf(page: Page): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = headingsOf(page).map(({ title }) => {
    const plain = visible(title).replace(/(?<![\w`])[*_]+|[*_]+(?![\w`])/g, "");
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
      .replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  return new Set(anchors);
}

/** The targets of a page's links, those in code left out. A link may go over the end of a line. */
function linksOf(page: Page): readonly { readonly number: number; readonly target: string }[] {
  const text = linesOf(page)
    .map((line) => (line.kind === "code" ? "" : line.text))
    .join("\n")
    .replace(/`[^`]*`/g, (code) => code.replace(/[^\n]/g, "x"));
  const found = text.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*(\S+)/gm);
  return [...found].map(({ 1: inline, 2: defined, index }) => {
    const number = text.slice(0, index).split("\n").length;
    return { number, target: (inline ?? defined)! };
  });
}

const pageAt = (path: string): Page => ({ path, text: readFileSync(join(ROOT, path), "utf8") });

/** What is wrong with a link of `page` to `target`, if anything is. */
function problemOf(page: Page, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path = "", anchor] = target.split("#") as [string, string?];
  if (path.startsWith("/")) return `${target}: not relative`;
  const goal = path === "" ? page.path : normalize(join(dirname(page.path), path));
  if (path !== "" && !existsSync(join(ROOT, goal))) return `${target}: no such file`;
  if (anchor === undefined || !goal.endsWith(".md")) return undefined;
  const anchors = anchorsOf(path === "" ? page : pageAt(goal));
  return anchors.has(anchor) ? undefined : `${target}: no such heading`;
}

const linksResolve: Rule = (page) =>
  linksOf(page).flatMap(({ number, target }) => {
    const problem = problemOf(page, target);
    return problem === undefined ? [] : [`line ${number}: ${problem}`];
  });

const page = (text: string, path = "docs/a.md"): Page => ({ path, text });
const table = (...rows: readonly string[]): string => rows.map((row) => `| ${row} |\n`).join("");

interface Example {
  readonly rule: Rule;
  readonly broken: readonly Page[];
  readonly right: readonly Page[];
}

const RULES: Readonly<Record<string, Example>> = {
  "prose has at most 100 columns": {
    rule: isNarrow,
    broken: [page("word ".repeat(21)), page(`- ${"word ".repeat(21)}`)],
    right: [
      page("x".repeat(100)),
      page(`- [x](${"x".repeat(100)}).`),
      page(table("x ".repeat(100))),
      page(`\`\`\`\n${"word ".repeat(21)}\n\`\`\`\n`),
    ],
  },
  "a cell of a table has at most 90 characters": {
    rule: hasShortCells,
    broken: [page(table("a", "-", "x".repeat(91))), page(table("x".repeat(91), "-"))],
    right: [page(table("a | b", "- | -", `${"x".repeat(90)} | [y](${"z".repeat(90)})`))],
  },
  "every row has as many cells as its head": {
    rule: hasWholeRows,
    broken: [
      page(table("a | b", "- | -", "1")),
      page(table("a | b", "- | -", "1 | 2 | 3")),
      page(table("a | b", "1 | 2")),
    ],
    right: [page(table("a | b", ":- | -:", "1 \\| 2 | 3", " | "))],
  },
  "a page has one heading of the first level": {
    rule: hasOneTitle,
    broken: [page("## Part\n"), page("# One\n\n# Two\n")],
    right: [page("# One\n\n```sh\n# a comment\n```\n\n## Part\n")],
  },
  "README.md has at most 150 lines": {
    rule: isReadAtOnce,
    broken: [page("a\n".repeat(151), "README.md")],
    right: [page("a\n".repeat(150), "README.md"), page("a\n".repeat(151))],
  },
  "a relative link has a file and a heading at its end": {
    rule: linksResolve,
    broken: [
      page("[x](nowhere.md)"),
      page("[x](../README.md#no-such-heading)"),
      page("# A\n\n[x](#b)"),
      page("[x](/docs/a.md)"),
      page("[x]: nowhere.md\n"),
      page("[two\nlines](nowhere.md)"),
    ],
    right: [
      page("# `mm_cpumask`, lazy _CPUs_\n\n[x](#mm_cpumask-lazy-cpus)"),
      page("# A\n\n## A\n\n[x](#a-1) [y](architecture.md) [z](https://a.example/b.md#c)"),
      page("`[x](nowhere.md)`\n\n```\n[x](nowhere.md)\n```\n"),
    ],
  },
};

const filesUnder = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map(
    (path) => `${folder}/${path.replaceAll("\\", "/")}`,
  );

const pages: readonly Page[] = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].filter((path) =>
    existsSync(join(ROOT, path)),
  ),
  ...filesUnder("docs").filter((path) => path.endsWith(".md")),
  ...filesUnder("data").filter((path) => path.endsWith("/README.md")),
].map(pageAt);

describe("tidy documentation", () => {
  for (const [name, { rule, broken, right }] of Object.entries(RULES)) {
    test(name, () => {
      for (const one of broken) expect(rule(one), `not seen in: ${one.text}`).not.toEqual([]);
      for (const one of right) expect(rule(one), `nothing is wrong in: ${one.text}`).toEqual([]);
      const problems = pages.flatMap((one) => rule(one).map((problem) => `${one.path} ${problem}`));
      expect(problems).toEqual([]);
    });
  }

  test("there is something to look at", () => {
    expect(pages.length).toBeGreaterThan(20);
  });
});
