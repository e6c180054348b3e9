// Messages as JSON, the way protobuf writes it with every field: bytes in base64, enums by name, 64-bit
// integers as strings, absent messages null; fields in the order of their declaration.

import protobuf from "protobufjs/light.js";

type Json = Record<string, unknown>;

/** `message` is a decoded message of `type`. */
export function messageToJson(type: protobuf.Type, message: Json): Json {
  const json: Json = {};
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (value === undefined && field.partOf !== null) continue;
    json[field.name] = fieldToJson(field.resolve(), value);
  }
  return json;
}

function fieldToJson(field: protobuf.Field, value: unknown): unknown {
  if (field.map) {
    const entries = Object.entries(value as Json).map(([key, item]) => [
      key,
      itemToJson(field, item),
    ]);
    return Object.fromEntries(entries);
  }
  if (field.repeated) return (value as unknown[]).map((item) => itemToJson(field, item));
  return itemToJson(field, value);
}

function itemToJson(field: protobuf.Field, value: unknown): unknown {
  if (value === undefined) return null;
  const type = field.resolvedType;
  if (type instanceof protobuf.Type) return messageToJson(type, value as Json);
  if (type instanceof protobuf.Enum) return type.valuesById[value as number] ?? value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return field.type === "int64" || field.type === "uint64" ? String(value) : value;
}
