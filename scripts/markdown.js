// Text as the docs have it: lines of at most 100 columns, of which code in backticks is not broken.

const COLUMNS = 100;

/** `text` in lines: the first begins with `first`, those after it with `indent`. */
export function wrapped(text, first = "", indent = "") {
  const [start, ...words] = text.match(/(?:`[^`]*`|[^\s`])+/g);
  const lines = [first + start];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines.join("\n");
}

/** An item of a list, or of a list in an item that is indented by `indent`. */
export const item = (text, indent = "") => wrapped(text, `${indent}- `, `${indent}  `);
