// Whether two values that kernel code hands over are the same, as far as can be told from outside.
// What has a name is known by it; functions and generators are made anew each time.

type Fields = Readonly<Record<string, unknown>>;

/** Objects in objects that are looked at. */
const DEPTH = 3;

export function isAlike(a: unknown, b: unknown, depth = DEPTH): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== typeof b) return false;
  if (typeof a === "function") return true;
  if (!isObject(a) || !isObject(b)) return false;
  const [name, other] = [nameOf(a), nameOf(b)];
  if (name !== undefined || other !== undefined) return name === other;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b))
    return isGenerator(a) && isGenerator(b);
  if (depth === 0 || !isPlain(a)) return true;
  for (const key in a) if (!isAlike(a[key], b[key], depth - 1)) return false;
  return true;
}

/** Of a cell, an mm or a task its name, of a CPU its number. */
const nameOf = ({ name, id }: Fields): string | undefined =>
  typeof name === "string" ? name : typeof id === "number" ? `CPU ${id}` : undefined;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const isGenerator = (value: Fields): boolean => typeof value["next"] === "function";

function isPlain(value: Fields): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype;
}

/** Which field of two objects is not the same in both, and what it is in each, in few words. */
export function difference(a: object, b: object): readonly [was: string, is: string] {
  const [was, is] = [a as Fields, b as Fields];
  const key = Object.keys(was).find((each) => !isAlike(was[each], is[each])) ?? "kind";
  return [`${key} ${saying(was[key])}`, `${key} ${saying(is[key])}`];
}

/** The value in few words. */
export function saying(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (!isObject(value)) return String(value);
  if (Array.isArray(value)) return value.map(saying).join(" ");
  return nameOf(value) ?? (typeof value["kind"] === "string" ? value["kind"] : "an object");
}
