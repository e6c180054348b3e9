// Structured HTTP fields (RFC 8941) as far as message signatures need them: dictionaries of items and of
// inner lists, with parameters. Stricter than the standard in one point: of a name that appears twice the
// last one would count, and two readers might disagree, so none does.

/** A bare item: an integer, a string, a boolean, bytes, or what is only carried along. */
export type BareItem = number | string | boolean | Uint8Array | Carried;
/** A token or a decimal, as its canonical text: nothing here asks what it says. */
export interface Carried {
  readonly text: string;
}
export type Parameters = ReadonlyMap<string, BareItem>;
export interface Item {
  readonly value: BareItem;
  readonly parameters: Parameters;
}
export interface InnerList {
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}
export type Dictionary = ReadonlyMap<string, Item | InnerList>;

/** Longest field that is read. */
const MAX_LENGTH = 16_384;
/** Most members, items or parameters in one place. */
const MAX_COUNT = 128;

const KEY = /[a-z*][a-z0-9_.*-]*/y;
const NUMBER = /-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])/y;
const STRING = /"((?:[ !#-[\]-~]|\\["\\])*)"/y;
const TOKEN = /[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y;
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y;
const BOOLEAN = /\?[01]/y;
const SPACE = / */y;
const OPTIONAL_SPACE = /[ \t]*/y;

/** @throws SyntaxError */
export function parseDictionary(text: string): Dictionary {
  if (text.length > MAX_LENGTH) throw new SyntaxError("the field is too long");
  return new Reader(text).dictionary();
}

/** The canonical text of an inner list, as the last line of a signature base has it. */
export function formatInnerList({ items, parameters }: InnerList): string {
  const inside = items.map((item) => formatBare(item.value) + formatParameters(item.parameters));
  return `(${inside.join(" ")})${formatParameters(parameters)}`;
}

export function formatBytes(bytes: Uint8Array): string {
  return `:${Buffer.from(bytes).toString("base64")}:`;
}

/** Whether text can be a string of a structured field: visible ASCII and spaces. */
export function isSfString(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  dictionary(): Dictionary {
    const members = new Map<string, Item | InnerList>();
    this.#match(SPACE);
    while (this.#at < this.#text.length) {
      const key = this.#expect(KEY, "a name");
      if (members.has(key)) throw new SyntaxError(`"${key}" appears twice`);
      if (members.size === MAX_COUNT) throw new SyntaxError("it has too many members");
      members.set(key, this.#take("=") ? this.#member() : this.#item(true));
      this.#match(OPTIONAL_SPACE);
      if (this.#at === this.#text.length) return members;
      if (!this.#take(",")) throw new SyntaxError("a comma is missing");
      this.#match(OPTIONAL_SPACE);
      if (this.#at === this.#text.length) throw new SyntaxError("it ends with a comma");
    }
    return members;
  }

  #member(): Item | InnerList {
    if (this.#text[this.#at] !== "(") return this.#item(this.#bare());
    this.#at++;
    const items: Item[] = [];
    for (;;) {
      const spaces = this.#match(SPACE);
      if (this.#take(")")) return { items, parameters: this.#parameters() };
      if (items.length > 0 && spaces === "") throw new SyntaxError("a space is missing");
      if (items.length === MAX_COUNT) throw new SyntaxError("a list is too long");
      items.push(this.#item(this.#bare()));
    }
  }

  #item(value: BareItem): Item {
    return { value, parameters: this.#parameters() };
  }

  #parameters(): Parameters {
    const parameters = new Map<string, BareItem>();
    while (this.#take(";")) {
      this.#match(SPACE);
      const key = this.#expect(KEY, "the name of a parameter");
      if (parameters.has(key)) throw new SyntaxError(`parameter "${key}" appears twice`);
      if (parameters.size === MAX_COUNT) throw new SyntaxError("it has too many parameters");
      parameters.set(key, this.#take("=") ? this.#bare() : true);
    }
    return parameters;
  }

  #bare(): BareItem {
    switch (this.#text[this.#at]) {
      case '"':
        return this.#expect(STRING, "a string").slice(1, -1).replace(/\\(.)/g, "$1");
      case ":":
        return this.#bytes();
      case "?":
        return this.#expect(BOOLEAN, "a boolean") === "?1";
      default: {
        const number = this.#match(NUMBER);
        if (number === undefined) return { text: this.#expect(TOKEN, "a value") };
        return number.includes(".") ? { text: formatDecimal(Number(number)) } : Number(number);
      }
    }
  }

  #bytes(): Uint8Array {
    const base64 = this.#expect(BYTES, "a byte sequence").slice(1, -1);
    const bytes = Buffer.from(base64, "base64");
    if (bytes.toString("base64") !== base64) throw new SyntaxError("a byte sequence is not base64");
    return bytes;
  }

  #expect(pattern: RegExp, what: string): string {
    const match = this.#match(pattern);
    if (match === undefined) throw new SyntaxError(`${what} is missing or malformed`);
    return match;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }
}

function formatParameters(parameters: Parameters): string {
  return [...parameters]
    .map(([key, value]) => (value === true ? `;${key}` : `;${key}=${formatBare(value)}`))
    .join("");
}

function formatBare(value: BareItem): string {
  if (typeof value === "string") return `"${value.replace(/["\\]/g, "\\$&")}"`;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "?1" : "?0";
  return value instanceof Uint8Array ? formatBytes(value) : value.text;
}

/** Integers and decimals are two types: what was written with a point keeps one. */
function formatDecimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
