// Writes schema.gen.ts from the .proto files: `npm run generate`. The wire's types as TypeScript
// (generate/typescript.ts), the descriptor that codec.ts works from (generate/descriptor.ts), and
// the file descriptors that server reflection answers with (generate/file-descriptor.ts).

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeDescriptor } from "./generate/descriptor.ts";
import { writeFileDescriptors } from "./generate/file-descriptor.ts";
import { parseFiles } from "./generate/proto-file.ts";
import { writeCodecs, writeEnums, writeNamespaces, writeServices } from "./generate/typescript.ts";

/** The text of schema.gen.ts. */
export function generateSchema(folder: string): string {
  const files = parseFiles(folder);
  return [
    "// Generated from the .proto files by proto/generate.ts (`npm run generate`); a test compares. Do not edit.",
    "// Types of messages live in ambient namespaces by package; the Workload API, which has none, in `workload`.",
    "",
    'import { type Codec, Schema } from "./codec.ts";',
    'import { type Method, type Service, serviceOf } from "./rpc/service.ts";',
    "",
    writeNamespaces(files),
    writeEnums(files),
    writeDescriptor(files),
    writeCodecs(files),
    writeServices(files),
    writeFileDescriptors(files),
  ].join("\n");
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, "schema.gen.ts"), generateSchema(import.meta.dirname));
}
