// Fields of one JSON object, each checked as it is read: what is wrong is said with its path.

import { BadInput, readName } from "../../base/bad-input.ts";

/** Said of a hex field. 64-bit quantities do not fit a JSON number. */
const NUMBER_REMEDY = 'a whole number, or hex of at most 64 bits such as "0x1f000"';

/** A quantity as people write it: a hex string, or a JSON number that is exact. */
export function quantity(path: string, value: unknown): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === "string" && /^0x[0-9a-f]{1,16}$/i.test(value)) return BigInt(value);
  throw new BadInput(path, value, NUMBER_REMEDY);
}

function listAt(path: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new BadInput(path, value, "a list");
}

export class Fields {
  private readonly fields: Readonly<Record<string, unknown>>;

  /** `path` is where the object was found, and ends with what its fields' names follow. */
  constructor(
    private readonly path: string,
    value: unknown,
  ) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new BadInput(path.trimEnd(), value, "a JSON object");
    }
    this.fields = value as Readonly<Record<string, unknown>>;
  }

  has(name: string): boolean {
    return this.fields[name] !== undefined;
  }

  /** Refuses fields that would be overlooked. */
  allow(names: readonly string[]): void {
    for (const name of Object.keys(this.fields)) readName(this.pathOf(name), name, names);
  }

  /** A field that is there: 0 is no default for an address. */
  quantity(name: string, fallback?: bigint): bigint {
    if (!this.has(name) && fallback !== undefined) return fallback;
    return quantity(this.pathOf(name), this.fields[name]);
  }

  /** A small number out of a few. */
  oneOf<const Allowed extends number>(
    name: string,
    allowed: readonly Allowed[],
    fallback?: Allowed,
  ): Allowed {
    const value = this.given(name, fallback);
    const found = allowed.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    throw new BadInput(this.pathOf(name), value, `one of ${allowed.join(", ")}`);
  }

  /** 0 or 1, or as JSON has it. */
  flag(name: string, fallback?: boolean): boolean {
    const value = this.given(name, fallback);
    if (value === 0 || value === 1) return value === 1;
    if (typeof value === "boolean") return value;
    throw new BadInput(this.pathOf(name), value, "0 or 1");
  }

  text(name: string, fallback?: string): string {
    const value = this.given(name, fallback);
    if (typeof value === "string") return value;
    throw new BadInput(this.pathOf(name), value, "a string");
  }

  /** A string, or a number that serves as one. */
  label(name: string): string {
    const value = this.fields[name];
    if (typeof value === "number") return String(value);
    return this.text(name);
  }

  name<const Known extends string>(name: string, known: readonly Known[]): Known {
    return readName(this.pathOf(name), this.text(name), known);
  }

  object(name: string): Fields {
    return new Fields(`${this.pathOf(name)}.`, this.fields[name]);
  }

  /** Every element of a list, with its path. */
  list<Element>(
    name: string,
    read: (path: string, value: unknown) => Element,
    fallback?: readonly unknown[],
  ): readonly Element[] {
    const path = this.pathOf(name);
    const list = listAt(path, this.given(name, fallback));
    return list.map((value, index) => read(`${path}[${index}]`, value));
  }

  bad(name: string, remedy: string): BadInput {
    return new BadInput(this.pathOf(name), this.fields[name], remedy);
  }

  /** What JSON calls null is given, and no default. */
  private given(name: string, fallback: unknown): unknown {
    return this.has(name) ? this.fields[name] : fallback;
  }

  private pathOf(name: string): string {
    return `${this.path}${name}`;
  }
}

/** `[address, value]`. */
export function quantityPair(path: string, value: unknown): readonly [bigint, bigint] {
  const pair = listAt(path, value);
  if (pair.length !== 2) throw new BadInput(path, value, "a pair: [address, value]");
  return [quantity(`${path}[0]`, pair[0]), quantity(`${path}[1]`, pair[1])];
}
