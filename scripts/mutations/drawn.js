// Generic mutations, drawn from all that the files offer: comparisons flipped, & and | swapped,
// constants 0 and 1 exchanged.

const FILES = ["pte.ts", "walker.ts", "registers.ts", "control.ts", "invalidate.ts", "pdpte.ts"];
const MORE_FILES = ["fault.ts", "access.ts"];

const SWAPS = [
  [" == ", " != "],
  [" != ", " == "],
  [" < ", " <= "],
  [" <= ", " < "],
  [" > ", " >= "],
  [" & ", " | "],
  [" | ", " & "],
  [" && ", " || "],
  [" || ", " && "],
  [" ^ ", " & "],
  [" << ", " >> "],
  [" >> ", " << "],
  [" + ", " - "],
  [" - ", " + "],
  [" 0;", " 1;"],
  [" 1;", " 0;"],
  ["true", "false"],
  ["false", "true"],
];

/** Multiplicative congruence with a period of 2^31 - 2. */
function* numbers(seed) {
  let state = (Number(seed) % 2147483646) + 1;
  while (true) {
    state = (state * 48271) % 2147483647;
    yield state;
  }
}

/** Where things lie in the host's memory is no rule of paging: a wrong place may serve as well. */
const isAddress = (line) => /\bbaseOf\(|offsetof</.test(line);

const isCode = (line) =>
  !isAddress(line) && !/^\s*(\/\/|\/?\*|import|export \{|[A-Za-z0-9_]+,$|\} from)/.test(line);

function mutantsOf(file, text) {
  const found = [];
  let start = 0;
  for (const line of text.split("\n")) {
    const end = line.includes(" //") ? line.indexOf(" //") : line.length;
    for (const [from, to] of isCode(line) ? SWAPS : []) {
      for (let at = line.indexOf(from); at >= 0 && at < end; at = line.indexOf(from, at + 1)) {
        const broken = line.slice(0, at) + to + line.slice(at + from.length);
        const whole = text.slice(0, start) + broken + text.slice(start + line.length);
        found.push({ file, name: `${line.trim()} => ${broken.trim()}`, at: start, text: whole });
      }
    }
    start += line.length + 1;
  }
  return found;
}

/** As many as asked for, by the seed. */
export function drawn(source, { seed, drawn: count }) {
  const all = [...FILES, ...MORE_FILES].flatMap((file) => mutantsOf(file, source(file)));
  const random = numbers(seed);
  const chosen = [];
  while (chosen.length < Number(count) && all.length > 0) {
    chosen.push(...all.splice(random.next().value % all.length, 1));
  }
  return chosen;
}
