// A strict JSON reader (RFC 8259) for documents that others signed or published. Unlike JSON.parse it
// refuses duplicate names, which two readers may resolve differently, keeps integers above 2^53 exact
// (as bigint), and limits depth. Objects have no prototype, so that "__proto__" is a name like others.

import { pkiError } from "./errors.ts";

export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}

/** Deepest nesting that is read: bundles need 4, claims of tokens rarely more. */
const MAX_DEPTH = 16;

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const MAX_NUMBER_LENGTH = 64;
const utf8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses one JSON text, as a string or as UTF-8 bytes. The caller limits its size.
 * Integers beyond 2^53 come as bigint, all other numbers as number.
 * @throws JSON_INVALID
 */
export function parseJson(text: string | Uint8Array): JsonValue {
  return new Reader(typeof text === "string" ? text : decodeUtf8(text)).document();
}

/** Whether a value is a JSON object: neither null nor an array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): JsonValue {
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) throw this.problem("text after the document");
    return value;
  }

  private value(depth: number): JsonValue {
    this.space();
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth + 1);
      case "[":
        return this.array(depth + 1);
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonObject {
    this.open(depth);
    const object: Record<string, JsonValue> = Object.create(null);
    if (this.take("}")) return object;
    do {
      this.space();
      const name = this.string();
      if (name in object) throw this.problem(`the name ${JSON.stringify(name)} appears twice`);
      if (!this.take(":")) throw this.problem("a colon is missing");
      object[name] = this.value(depth);
    } while (this.take(","));
    if (!this.take("}")) throw this.problem("an object does not end");
    return object;
  }

  private array(depth: number): readonly JsonValue[] {
    this.open(depth);
    const array: JsonValue[] = [];
    if (this.take("]")) return array;
    do array.push(this.value(depth));
    while (this.take(","));
    if (!this.take("]")) throw this.problem("an array does not end");
    return array;
  }

  private string(): string {
    const { text } = this;
    if (text[this.at] !== '"') throw this.problem("a string is missing");
    const start = this.at;
    let end = start + 1;
    let plain = true;
    for (; ; end++) {
      const code = text.charCodeAt(end);
      if (code === 0x22) break;
      if (end >= text.length || code < 0x20) throw this.problem("a string does not end");
      if (code !== 0x5c) continue;
      plain = false;
      end++;
    }
    this.at = end + 1;
    if (plain) return text.slice(start + 1, end);
    try {
      return JSON.parse(text.slice(start, end + 1)) as string;
    } catch (cause) {
      throw this.problem("a string has an unknown escape", cause);
    }
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.problem("a value is missing");
    const literal = match[0];
    if (literal.length > MAX_NUMBER_LENGTH) throw this.problem("a number is too long");
    this.at += literal.length;
    const number = Number(literal);
    const isInteger = match[1] === undefined && match[2] === undefined;
    return isInteger && !Number.isSafeInteger(number) ? BigInt(literal) : number;
  }

  private word<T extends boolean | null>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.problem("a value is missing");
    this.at += word.length;
    return value;
  }

  private open(depth: number): void {
    if (depth > MAX_DEPTH) throw this.problem(`it is nested deeper than ${MAX_DEPTH}`);
    this.at++;
  }

  private take(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private space(): void {
    for (; ; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  private problem(what: string, cause?: unknown): Error {
    return pkiError("JSON_INVALID", `the JSON is not valid at character ${this.at}: ${what}`, {
      cause,
    });
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw pkiError("JSON_INVALID", "the JSON is not UTF-8", { cause });
  }
}
