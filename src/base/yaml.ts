// YAML that a person wrote, JSON included: what it says, or the line and column that are wrong.

import {
  type Document,
  isAlias,
  isCollection,
  isNode,
  isPair,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { BadInput } from "./bad-input.ts";

/** What aliases may unfold to. */
const MOST_VALUES = 100_000;
const PLAIN_TAG = /^tag:yaml\.org,2002:(map|seq|str|int|float|bool|null)$/;

/** What the text says; null where it says nothing. */
export function parseYaml(text: string, path: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const bad = (offset: number, remedy: string): BadInput => {
    const { line, col } = lineCounter.linePos(offset);
    return new BadInput(`${path}:${line}:${col}`, text.split("\n")[line - 1]?.trim(), remedy);
  };
  const error = document.errors[0];
  if (error !== undefined) throw bad(error.pos[0], remedyFor(error));
  checkNodes(document, (node, remedy) => bad(node.range?.[0] ?? 0, remedy));
  // Aliases share what they name, so that many of them are no more than one.
  return document.contents === null ? null : document.toJS({ maxAliasCount: -1 });
}

/** The parser's own words are for those who call it. */
function remedyFor({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS") return "leave out what follows: one document in a file";
  if (message.startsWith("Maximum call stack")) return "leave out levels: they are too many";
  const reason = message.split("\n", 1)[0]!;
  return `write YAML or JSON: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}

type Bad = (node: Node, remedy: string) => BadInput;

/** Refuses values that are no maps, lists, texts and numbers, and aliases without an end. */
function checkNodes(document: Document, bad: Bad): void {
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        if (node.resolve(document) !== undefined) return;
        throw bad(node, `name an anchor that stands before it: no &${node.source} does`);
      }
      if (node.tag === undefined || PLAIN_TAG.test(node.tag)) return;
      throw bad(node, `leave out the tag ${node.tag}`);
    },
  });
  if (isNode(document.contents)) countValues(document.contents, document, bad, new Map());
}

/** How many values a node unfolds to; 0 stands for one that is being counted. */
function countValues(node: Node, document: Document, bad: Bad, counts: Map<Node, number>): number {
  const known = counts.get(node);
  if (known === 0) throw bad(node, "leave out the alias in it that names the whole");
  if (known !== undefined) return known;
  counts.set(node, 0);
  const inside = childrenOf(node, document);
  const count = inside.reduce((sum, one) => sum + countValues(one, document, bad, counts), 1);
  if (count > MOST_VALUES) throw bad(node, `at most ${MOST_VALUES} values, aliases unfolded`);
  counts.set(node, count);
  return count;
}

function childrenOf(node: Node, document: Document): readonly Node[] {
  if (isAlias(node)) return [node.resolve(document)!];
  if (!isCollection(node)) return [];
  const items: readonly unknown[] = node.items;
  return items.flatMap((item) => (isPair(item) ? [item.key, item.value] : [item])).filter(isNode);
}
