// The TypeScript side of schema.gen.ts: ambient namespaces of message types, constants of enums, the
// table of codecs, and the services as typed values.

import protobuf from "protobufjs";
import { camelCase } from "./descriptor.ts";
import type { ProtoFile } from "./proto-file.ts";

/** `export declare namespace spire.api.types { ... }` for each package. */
export function writeNamespaces(files: readonly ProtoFile[]): string {
  const packages = new Map<string, string[]>();
  for (const file of files) {
    const name = file.packageName === "" ? "workload" : file.packageName;
    const body = packages.get(name) ?? [];
    for (const item of file.enums) body.push(writeEnumType(item, "  "));
    for (const type of file.types) body.push(writeType(type, "  "));
    packages.set(name, body);
  }
  return [...packages]
    .map(([name, body]) => `export declare namespace ${name} {\n${body.join("\n")}\n}\n`)
    .join("\n");
}

function writeType(type: protobuf.Type, indent: string): string {
  const lines = [...comment(type.comment, indent), `${indent}interface ${type.name} {`];
  for (const field of type.fieldsArray) {
    lines.push(...comment(field.comment, `${indent}  `));
    lines.push(`${indent}  readonly ${field.name}: ${fieldType(field)};`);
  }
  for (const oneof of type.oneofsArray.filter((item) => !item.name.startsWith("_"))) {
    const names = oneof.oneof.map((name) => JSON.stringify(name)).join(" | ");
    lines.push(`${indent}  /** Which one is set; derived, so never needed to encode. */`);
    lines.push(`${indent}  readonly ${camelCase(oneof.name)}: ${names} | undefined;`);
  }
  lines.push(`${indent}}`);
  if (type.nestedArray.length > 0) {
    lines.push(`${indent}namespace ${type.name} {`);
    for (const object of type.nestedArray) {
      lines.push(
        object instanceof protobuf.Type
          ? writeType(object, `${indent}  `)
          : writeEnumType(object as protobuf.Enum, `${indent}  `),
      );
    }
    lines.push(`${indent}}`);
  }
  return lines.join("\n");
}

function writeEnumType(item: protobuf.Enum, indent: string): string {
  const known = Object.entries(item.values).map(([name, id]) => `${id} ${name}`);
  return [
    ...comment([item.comment, known.join(", ")].filter((text) => text).join(" "), indent),
    `${indent}type ${item.name} = number;`,
  ].join("\n");
}

function fieldType(field: protobuf.Field): string {
  const item = field.resolvedType === null ? scalarType(field.type) : typeName(field.resolvedType);
  if (field instanceof protobuf.MapField) return `Readonly<Record<string, ${item}>>`;
  if (field.repeated) {
    if (field.type === "uint64") throw new Error(`${field.fullName}: lists are of int64`);
    return `readonly ${item}[]`;
  }
  return field.partOf !== null || field.hasPresence ? `${item} | undefined` : item;
}

function scalarType(type: string): string {
  if (type === "string") return "string";
  if (type === "bytes") return "Uint8Array";
  if (type === "uint64") return "number | bigint";
  return type === "bool" ? "boolean" : "number";
}

/** Of a message or enum, as TypeScript sees it. */
function typeName(object: protobuf.ReflectionObject): string {
  const name = object.fullName.slice(1);
  return name.includes(".") ? name : `workload.${name}`;
}

function comment(text: string | null | undefined, indent: string): string[] {
  return text ? [`${indent}/** ${text.replace(/\s+/g, " ").trim()} */`] : [];
}

/** `export const SelectorMatchBehavior = {...}`: the values of each enum by name. */
export function writeEnums(files: readonly ProtoFile[]): string {
  const all = files.flatMap((file) => [...file.enums, ...file.types.flatMap(enumsIn)]);
  return all
    .map((item) => {
      const rows = Object.entries(item.values).map(([name, id]) => `${name}: ${id}`);
      const type = rows.map((row) => `readonly ${row}`).join("; ");
      return `export const ${enumName(item)}: { ${type} } = { ${rows.join(", ")} };\n`;
    })
    .join("");
}

function enumsIn(type: protobuf.Type): protobuf.Enum[] {
  return type.nestedArray.flatMap((object) => {
    if (object instanceof protobuf.Enum) return [object];
    return object instanceof protobuf.Type ? enumsIn(object) : [];
  });
}

/** Message and enum in one word, what they share written once: SelectorMatch + MatchBehavior. */
function enumName(item: protobuf.Enum): string {
  const parent = item.parent instanceof protobuf.Type ? item.parent.name : "";
  for (let size = Math.min(parent.length, item.name.length); size > 0; size--) {
    if (parent.endsWith(item.name.slice(0, size))) return parent + item.name.slice(size);
  }
  return parent + item.name;
}

/** `interface Messages`, and codecOf(name). */
export function writeCodecs(files: readonly ProtoFile[]): string {
  const rows = files
    .flatMap((file) => file.types.flatMap(withNested))
    .map((type) => `  readonly ${JSON.stringify(type.fullName.slice(1))}: ${typeName(type)};`);
  return [
    "/** Every message by its full name on the wire. */",
    `export interface Messages {\n${rows.join("\n")}\n}\n`,
    "/** The codec of a message. */",
    "export function codecOf<Name extends keyof Messages & string>(name: Name): Codec<Messages[Name]> {",
    "  return schema.codec(name);\n}\n",
  ].join("\n");
}

function withNested(type: protobuf.Type): protobuf.Type[] {
  const nested = type.nestedArray.filter((object) => object instanceof protobuf.Type);
  return [type, ...nested.flatMap(withNested)];
}

/** `export const EntryService: Service<...> = serviceOf(...)` for each service. */
export function writeServices(files: readonly ProtoFile[]): string {
  return files.flatMap((file) => file.services.map(writeService)).join("\n");
}

function writeService(service: protobuf.Service): string {
  const types: string[] = [];
  const rows: string[] = [];
  for (const method of service.methodsArray) {
    const request = method.resolvedRequestType;
    const response = method.resolvedResponseType;
    if (request === null || response === null) throw new TypeError(`unresolved ${method.fullName}`);
    const kind = kindOf(method);
    const key = method.name.charAt(0).toLowerCase() + method.name.slice(1);
    types.push(
      `  readonly ${key}: Method<"${kind}", ${typeName(request)}, ${typeName(response)}>;`,
    );
    const names = [method.name, kind, request.fullName.slice(1), response.fullName.slice(1)];
    rows.push(`  ${key}: ${JSON.stringify(names)},`);
  }
  const name = service.fullName.slice(1);
  return [
    ...comment(service.comment, ""),
    `export const ${serviceName(service)}: Service<{`,
    ...types,
    `}> = serviceOf(schema, ${JSON.stringify(name)}, {`,
    ...rows,
    "});\n",
  ].join("\n");
}

function kindOf(method: protobuf.Method): string {
  if (method.requestStream) return method.responseStream ? "bidi" : "clientStream";
  return method.responseStream ? "serverStream" : "unary";
}

function serviceName(service: protobuf.Service): string {
  const special: Record<string, string> = {
    ".SpiffeWorkloadAPI": "SpiffeWorkloadApi",
    ".spire.api.server.svid.v1.SVID": "SvidService",
    ".grpc.reflection.v1alpha.ServerReflection": "ServerReflectionV1AlphaService",
  };
  return special[service.fullName] ?? `${service.name}Service`;
}
