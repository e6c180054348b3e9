// The descriptor from which codec.ts encodes and decodes: protobufjs's JSON form, one line a message.

import protobuf from "protobufjs";
import type { ProtoFile } from "./proto-file.ts";

interface Space {
  nested: Record<string, Space | object>;
}

/** The source of `const schema`. */
export function writeDescriptor(files: readonly ProtoFile[]): string {
  const root: Space = { nested: {} };
  for (const file of files) {
    const space = spaceOf(root, file.packageName);
    for (const type of file.types) space.nested[type.name] = describeType(type);
    for (const item of file.enums) space.nested[item.name] = describeEnum(item);
  }
  return `const schema: Schema = new Schema(${writeSpace(root, "")});\n`;
}

function spaceOf(root: Space, packageName: string): Space {
  let space = root;
  for (const part of packageName.split(".").filter((name) => name !== "")) {
    space.nested[part] ??= { nested: {} };
    space = space.nested[part] as Space;
  }
  return space;
}

function writeSpace(space: Space, indent: string): string {
  const rows = Object.entries(space.nested).map(([name, value]) => {
    const isPackage = Object.keys(value).join() === "nested";
    const text = isPackage ? writeSpace(value as Space, `${indent}  `) : JSON.stringify(value);
    return `${indent}  ${JSON.stringify(name)}: ${text},`;
  });
  return `{ nested: {\n${rows.join("\n")}\n${indent}} }`;
}

function describeType(type: protobuf.Type): object {
  const fields = Object.fromEntries(type.fieldsArray.map((f) => [f.name, describeField(f)]));
  const oneofs = type.oneofsArray
    .filter((oneof) => !oneof.name.startsWith("_"))
    .map((oneof) => [camelCase(oneof.name), { oneof: oneof.oneof }]);
  const nested = type.nestedArray.map((object) => [
    object.name,
    object instanceof protobuf.Type ? describeType(object) : describeEnum(object as protobuf.Enum),
  ]);
  return {
    edition: "proto3",
    fields,
    ...(oneofs.length > 0 ? { oneofs: Object.fromEntries(oneofs) } : {}),
    ...(nested.length > 0 ? { nested: Object.fromEntries(nested) } : {}),
  };
}

function describeField(field: protobuf.Field): object {
  if (field.options?.["proto3_optional"] && field.resolvedType instanceof protobuf.Type === false) {
    throw new TypeError(`${field.fullName}: for an optional scalar, take a wrapper message`);
  }
  return {
    ...(field instanceof protobuf.MapField ? { keyType: field.keyType } : {}),
    ...(field.repeated ? { rule: "repeated" } : {}),
    type: field.resolvedType?.fullName ?? field.type,
    id: field.id,
  };
}

function describeEnum(item: protobuf.Enum): object {
  return { edition: "proto3", values: item.values };
}

/** Protobuf's JSON name of a field: "spiffe_id" -> "spiffeId". */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
