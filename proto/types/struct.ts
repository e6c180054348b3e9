// JSON values as google.protobuf.Struct, as the claims of ValidateJWTSVID travel.

import type { Init } from "../codec.ts";
import { protoError } from "../errors.ts";
import type { google } from "../schema.gen.ts";

const MAX_DEPTH = 32;

type Struct = google.protobuf.Struct;
type Value = google.protobuf.Value;

/** Numbers become doubles; `undefined` members are left out. @throws MESSAGE_MALFORMED when nested too deep */
export function structFromJson(json: Readonly<Record<string, unknown>>): Init<Struct> {
  return structAt(json, 0);
}

function structAt(json: Readonly<Record<string, unknown>>, depth: number): Init<Struct> {
  const fields: Record<string, Init<Value>> = Object.create(null);
  for (const [name, value] of Object.entries(json)) {
    if (value !== undefined) fields[name] = valueAt(value, depth + 1);
  }
  return { fields } as Init<Struct>;
}

function valueAt(json: unknown, depth: number): Init<Value> {
  if (depth > MAX_DEPTH) throw protoError("MESSAGE_MALFORMED", "the JSON is nested too deep");
  if (json === null) return { nullValue: 0 };
  if (typeof json === "string") return { stringValue: json };
  if (typeof json === "number") return { numberValue: json };
  // As the strict JSON reader gives integers above 2^53: a Struct can only round them.
  if (typeof json === "bigint") return { numberValue: Number(json) };
  if (typeof json === "boolean") return { boolValue: json };
  if (Array.isArray(json)) {
    return { listValue: { values: json.map((item) => valueAt(item, depth + 1)) } };
  }
  if (typeof json === "object") {
    return { structValue: structAt(json as Record<string, unknown>, depth) };
  }
  throw new TypeError(`no JSON value: ${typeof json}`);
}

/** The inverse of structFromJson. */
export function structToJson(struct: Struct): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(struct.fields)) {
    // An own property even for "__proto__", which assignment would turn into the prototype.
    Object.defineProperty(json, name, {
      value: valueToJson(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return json;
}

function valueToJson(value: Value): unknown {
  if (value.structValue !== undefined) return structToJson(value.structValue);
  if (value.listValue !== undefined) return value.listValue.values.map(valueToJson);
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null;
}
