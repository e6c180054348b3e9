// Reads the .proto files into protobufjs's reflection, file by file.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

const FOLDERS = ["google", "grpc", "signet", "spiffe", "spire"];

/** A parsed .proto file: its name relative to proto/, and what it declares. */
export interface ProtoFile {
  readonly name: string;
  readonly packageName: string;
  readonly imports: readonly string[];
  readonly types: readonly protobuf.Type[];
  readonly enums: readonly protobuf.Enum[];
  readonly services: readonly protobuf.Service[];
}

/** Parses every .proto file below `folder`, in order of name. */
export function parseFiles(folder: string): ProtoFile[] {
  const root = new protobuf.Root();
  const parsed = FOLDERS.flatMap((part) =>
    readdirSync(join(folder, part))
      .filter((name) => name.endsWith(".proto"))
      .sort()
      .map((name) => parseFile(root, folder, `${part}/${name}`)),
  );
  root.resolveAll();
  const objects = declaredIn(root);
  return parsed.map((file) => {
    const own = objects.filter((object) => object.filename === file.name);
    return {
      ...file,
      types: own.filter((object) => object instanceof protobuf.Type),
      enums: own.filter((object) => object instanceof protobuf.Enum),
      services: own.filter((object) => object instanceof protobuf.Service),
    };
  });
}

function parseFile(root: protobuf.Root, folder: string, name: string) {
  const source = readFileSync(join(folder, name), "utf8");
  (protobuf.parse as unknown as { filename: string }).filename = name;
  const result = protobuf.parse(source, root, { alternateCommentMode: true });
  return { name, packageName: result.package ?? "", imports: result.imports ?? [] };
}

/** Messages, enums and services directly below a package, in the order of their declaration. */
function declaredIn(space: protobuf.NamespaceBase): protobuf.ReflectionObject[] {
  return space.nestedArray.flatMap((object) =>
    object instanceof protobuf.Namespace &&
    !(object instanceof protobuf.Type || object instanceof protobuf.Service)
      ? declaredIn(object)
      : [object],
  );
}
