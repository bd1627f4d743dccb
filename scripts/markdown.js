// Text as the docs have it: lines of at most 100 columns, of which code in backticks is not broken.

const COLUMNS = 100;

/** `text` in lines; those after the first begin with `indent`. */
export function wrapped(text, indent = "") {
  const lines = [""];
  for (const word of text.match(/(?:`[^`]*`|[^\s`])+/g)) {
    const line = lines.at(-1);
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(`${indent}${word}`);
  }
  return lines.join("\n");
}

/** An item of a list. */
export const item = (text) => wrapped(`- ${text}`, "  ");
