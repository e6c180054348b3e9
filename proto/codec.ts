// Messages to bytes and back, on protobufjs's reflection. A decoded message has every scalar, list
// and map as its own property, absent messages as `undefined`, int64 as a number, uint64 as a number
// or, beyond 2^53, a bigint, unknown enum values as their number, and flat strings. The descriptor
// itself: schema.gen.ts.

import { isUtf8 } from "node:buffer";
import protobuf from "protobufjs/light.js";
import { protoError } from "./errors.ts";
import { messageToJson } from "./json.ts";

// Without Long, protobufjs reads 64-bit integers as numbers (exact up to 2^53). What others count in
// uint64, such as sequence numbers of bundles, is kept exact: see FlatReader and ExactWriter.
(protobuf.util as { Long: unknown }).Long = null;
protobuf.configure();

/** What can be encoded as T: any part of it may be left out. */
export type Init<T> = T extends Uint8Array | string | number | bigint | boolean | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Init<Item>[]
    : { readonly [K in keyof T]?: Init<T[K]> | undefined };

/** Encodes and decodes one type of message. */
export interface Codec<T> {
  /** Full name, without a leading dot: "spire.api.types.Entry". */
  readonly name: string;
  encode(message: Init<T>): Buffer;
  /** Byte fields are views of `bytes`, not copies. @throws MESSAGE_MALFORMED, MESSAGE_TOO_LARGE */
  decode(bytes: Uint8Array): T;
  /** Protobuf's JSON with every field: bytes as base64, enums by name, 64-bit integers as strings, absent messages null. */
  toJson(message: Init<T>): Record<string, unknown>;
}

/** Messages and enums by package, in protobufjs's JSON form. */
export interface Descriptor {
  readonly nested: Readonly<Record<string, object>>;
}

/**
 * Most messages within one. The densest that mean something, selectors, take 15 bytes each; empty ones
 * take two, and decoding millions of those would stop the process for seconds.
 */
const MAX_PARTS = 300_000;
/** How many more the message that is being decoded may have. Decoding is never interrupted. */
const parts: { left: number } = { left: Number.POSITIVE_INFINITY };

/** A method that every Buffer has and its types leave out: toString("utf8") without its checks. */
type SlicedBuffer = Buffer & { utf8Slice(start: number, end: number): string };

/**
 * protobufjs builds short strings by concatenation, which V8 keeps as ropes of six times the size
 * and flattens late; reading them as one slice keeps what is cached compact.
 */
class FlatReader extends protobuf.BufferReader {
  override string(): string {
    const length = this.uint32();
    const start = this.pos;
    const end = start + length;
    if (end > this.len) throw new RangeError("string is longer than its message");
    this.pos = end;
    const text = (this.buf as SlicedBuffer).utf8Slice(start, end);
    // U+FFFD stands where the bytes were no UTF-8, or where the sender wrote it.
    if (text.includes("\uFFFD") && !isUtf8(this.buf.subarray(start, end))) {
      throw new TypeError("string is not UTF-8");
    }
    return text;
  }

  override stringVerify(): string {
    return this.string();
  }

  // Typed as if there were a Long; the generated interfaces say what is true.
  override uint64(): protobuf.Long {
    const start = this.pos;
    const rounded = super.uint64();
    if (Number.isSafeInteger(rounded)) return rounded;
    let exact = 0n;
    for (let at = start, shift = 0n; at < this.pos; at++, shift += 7n) {
      exact |= BigInt((this.buf[at] ?? 0) & 0x7f) << shift;
    }
    return BigInt.asUintN(64, exact) as unknown as protobuf.Long;
  }
}

/** Takes a bigint where a uint64 is written. */
class ExactWriter extends protobuf.BufferWriter {
  override uint64(value: number | bigint | string | protobuf.Long): protobuf.Writer {
    if (typeof value !== "bigint") return super.uint64(value);
    const low = Number(BigInt.asUintN(32, value));
    const high = Number(BigInt.asUintN(32, value >> 32n));
    return super.uint64({ low, high, unsigned: true } as protobuf.Long);
  }
}

/** Every message of the wire, by full name. Types are resolved and their code is made on first use. */
export class Schema {
  readonly #descriptor: Descriptor;
  readonly #codecs = new Map<string, Codec<unknown>>();
  #root: protobuf.Root | undefined;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
  }

  /** The codec of a message; T is the caller's promise, kept by the generated code. */
  codec<T>(name: string): Codec<T> {
    let codec = this.#codecs.get(name);
    if (codec === undefined) {
      codec = new MessageCodec(name, () => this.#type(name));
      this.#codecs.set(name, codec);
    }
    return codec as Codec<T>;
  }

  #type(name: string): protobuf.Type {
    this.#root ??= protobuf.Root.fromJSON(this.#descriptor as protobuf.INamespace);
    return prepare(this.#root.lookupType(`.${name}`));
  }
}

class MessageCodec implements Codec<unknown> {
  readonly name: string;
  readonly #load: () => protobuf.Type;
  #type: protobuf.Type | undefined;

  constructor(name: string, load: () => protobuf.Type) {
    this.name = name;
    this.#load = load;
  }

  encode(message: unknown): Buffer {
    this.#type ??= this.#load();
    const writer = new ExactWriter();
    return this.#type.encode(message as Record<string, unknown>, writer).finish() as Buffer;
  }

  decode(bytes: Uint8Array): unknown {
    this.#type ??= this.#load();
    const buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const reader = new FlatReader(buffer);
    reader.discardUnknown = true;
    parts.left = MAX_PARTS;
    try {
      return this.#type.decode(reader);
    } catch (cause) {
      if (parts.left < 0) {
        const message = `the ${this.name} has more than ${MAX_PARTS} parts`;
        throw protoError("MESSAGE_TOO_LARGE", message, { hint: "send less in one message" });
      }
      throw protoError("MESSAGE_MALFORMED", `the bytes are no ${this.name}`, { cause });
    } finally {
      parts.left = Number.POSITIVE_INFINITY;
    }
  }

  toJson(message: unknown): Record<string, unknown> {
    this.#type ??= this.#load();
    const whole = this.#type.decode(new FlatReader(this.encode(message)));
    return messageToJson(this.#type, whole as unknown as Record<string, unknown>);
  }
}

const prepared = new WeakSet<protobuf.Type>();

/**
 * Gives a type, and those it contains, a constructor that sets every field as an own property: one
 * hidden class for all its messages, and spreading or comparing them sees the defaults.
 */
function prepare(type: protobuf.Type): protobuf.Type {
  if (prepared.has(type)) return type;
  prepared.add(type);
  const code = protobuf.util.codegen(["empty", "parts"], "Message");
  code("return function(){");
  code('if(--parts.left<0)throw RangeError("too many parts")');
  for (const field of type.fieldsArray) {
    field.resolve();
    if (field.partOf === null) code("this.%s=%s", field.name, initialValue(field));
  }
  code("}");
  const empty = new Uint8Array(0);
  const make = code() as unknown as (
    empty: Uint8Array,
    counter: typeof parts,
  ) => protobuf.Constructor<object>;
  type.ctor = make(empty, parts);
  for (const field of type.fieldsArray) {
    // Protobufjs leaves null, or the default of a oneof's scalar, on the prototype.
    if (canBeAbsent(field)) type.ctor.prototype[field.name] = undefined;
    else if (field.bytes && !field.repeated) type.ctor.prototype[field.name] = empty;
    if (field.resolvedType instanceof protobuf.Type) prepare(field.resolvedType);
  }
  return type;
}

/** The initial value of a field as JavaScript source. */
function initialValue(field: protobuf.Field): string {
  if (field.map) return "{}";
  if (field.repeated) return "[]";
  if (canBeAbsent(field)) return "undefined";
  if (field.bytes) return "empty";
  if (field.type === "string") return '""';
  return field.type === "bool" ? "false" : "0";
}

function canBeAbsent(field: protobuf.Field): boolean {
  if (field.partOf !== null) return true;
  return field.resolvedType instanceof protobuf.Type && !field.repeated && !field.map;
}
