// Serialized FileDescriptorProtos, for server reflection (rpc/reflection.ts).

import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";
import { camelCase } from "./descriptor.ts";
import type { ProtoFile } from "./proto-file.ts";

const SCALARS: Record<string, number> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
};
const TYPE_MESSAGE = 11;
const TYPE_ENUM = 14;
const LABEL_OPTIONAL = 1;
const LABEL_REPEATED = 3;

/** `export const FILES`: each .proto file with what it imports, defines, and its descriptor in base64. */
export function writeFileDescriptors(files: readonly ProtoFile[]): string {
  const rows = files.map((file) => {
    const row = {
      name: file.name,
      imports: file.imports,
      services: file.services.map((service) => service.fullName.slice(1)),
      messages: file.types.map((type) => type.fullName.slice(1)),
      descriptor: Buffer.from(describeFile(file)).toString("base64"),
    };
    return `  ${JSON.stringify(row)},`;
  });
  return [
    "/** A .proto file as server reflection serves it; `descriptor` is a FileDescriptorProto in base64. */",
    "export interface DescriptorFile {",
    "  readonly name: string;",
    "  readonly imports: readonly string[];",
    "  readonly services: readonly string[];",
    "  readonly messages: readonly string[];",
    "  readonly descriptor: string;",
    "}\n",
    `export const FILES: readonly DescriptorFile[] = [\n${rows.join("\n")}\n];\n`,
  ].join("\n");
}

function describeFile(file: ProtoFile): Uint8Array {
  const message = {
    name: file.name,
    package: file.packageName,
    dependency: file.imports,
    messageType: file.types.map(describeType),
    enumType: file.enums.map(describeEnum),
    service: file.services.map(describeService),
    syntax: "proto3",
  };
  return descriptor.FileDescriptorProto.encode(message).finish();
}

function describeType(type: protobuf.Type): object {
  const oneofs = type.oneofsArray.filter((oneof) => !oneof.name.startsWith("_"));
  const maps = type.fieldsArray.filter((field) => field instanceof protobuf.MapField);
  const nested = type.nestedArray.filter((object) => object instanceof protobuf.Type);
  return {
    name: type.name,
    field: type.fieldsArray.map((field) => describeField(field, oneofs)),
    nestedType: [...nested.map(describeType), ...maps.map(describeMapEntry)],
    enumType: type.nestedArray.filter((o) => o instanceof protobuf.Enum).map(describeEnum),
    oneofDecl: oneofs.map((oneof) => ({ name: oneof.name })),
  };
}

function describeField(field: protobuf.Field, oneofs: readonly protobuf.OneOf[]): object {
  const isMap = field instanceof protobuf.MapField;
  const oneof = field.partOf === null ? -1 : oneofs.indexOf(field.partOf);
  return {
    name: field.protoName,
    number: field.id,
    label: field.repeated || isMap ? LABEL_REPEATED : LABEL_OPTIONAL,
    ...(isMap
      ? { type: TYPE_MESSAGE, typeName: `${field.parent?.fullName}.${mapEntryName(field)}` }
      : describeFieldType(field)),
    jsonName: field.name,
    ...(oneof >= 0 ? { oneofIndex: oneof } : {}),
  };
}

function describeFieldType(field: protobuf.FieldBase): object {
  if (field.resolvedType !== null) {
    const type = field.resolvedType instanceof protobuf.Enum ? TYPE_ENUM : TYPE_MESSAGE;
    return { type, typeName: field.resolvedType.fullName };
  }
  const type = SCALARS[field.type];
  if (type === undefined) throw new TypeError(`${field.fullName}: no number for ${field.type}`);
  return { type };
}

/** The message that stands for one pair of a map: "federated_bundles" -> FederatedBundlesEntry. */
function describeMapEntry(field: protobuf.MapField): object {
  const key = { name: "key", number: 1, label: LABEL_OPTIONAL, jsonName: "key" };
  const value = { name: "value", number: 2, label: LABEL_OPTIONAL, jsonName: "value" };
  return {
    name: mapEntryName(field),
    field: [
      { ...key, type: SCALARS[field.keyType] },
      { ...value, ...describeFieldType(field) },
    ],
    options: { mapEntry: true },
  };
}

function mapEntryName(field: protobuf.FieldBase): string {
  return `${camelCase(`_${field.protoName}`)}Entry`;
}

function describeEnum(item: protobuf.Enum): object {
  const value = Object.entries(item.values).map(([name, number]) => ({ name, number }));
  return { name: item.name, value };
}

function describeService(service: protobuf.Service): object {
  return {
    name: service.name,
    method: service.methodsArray.map((method) => ({
      name: method.name,
      inputType: method.resolvedRequestType?.fullName,
      outputType: method.resolvedResponseType?.fullName,
      clientStreaming: method.requestStream === true,
      serverStreaming: method.responseStream === true,
    })),
  };
}
