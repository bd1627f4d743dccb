// Text from outside as it may be shown on a terminal: in a message, a note, a table, a report.

/** Text from outside without what a terminal would obey: such characters are spelled out. */
export const printable = (text: string): string =>
  Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    return isObeyed(code) ? `\\u${code.toString(16).padStart(4, "0")}` : character;
  }).join("");

/** Control characters except the line feed, separators of lines, and what turns text around. */
const isObeyed = (code: number): boolean =>
  (code < 0x20 && code !== 0x0a) ||
  (code >= 0x7f && code < 0xa0) ||
  (code >= 0x2028 && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069);
