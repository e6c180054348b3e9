// Server reflection, v1 and v1alpha: lists the services that were added as public, and describes
// those and what they need, nothing else that this program happens to know.

import { Status } from "../../pki/errors.ts";
import type { Init } from "../codec.ts";
import {
  type DescriptorFile,
  FILES,
  type grpc,
  ServerReflectionService,
  ServerReflectionV1AlphaService,
} from "../schema.gen.ts";
import type { RpcServer } from "./server.ts";

type Request = grpc.reflection.v1.ServerReflectionRequest;
type Response = Init<grpc.reflection.v1.ServerReflectionResponse>;

/** Serves reflection of what `server` has as public, itself included. */
export function addReflection(server: RpcServer): void {
  const reflect = async function* (requests: AsyncIterable<Request>): AsyncIterable<Response> {
    for await (const request of requests) {
      yield { validHost: request.host, originalRequest: request, ...answer(server, request) };
    }
  };
  // The two versions differ in nothing but their names.
  server.add(ServerReflectionService, { serverReflectionInfo: reflect });
  server.add(ServerReflectionV1AlphaService, { serverReflectionInfo: reflect });
}

function answer(server: RpcServer, request: Request): Response {
  const services = server.publicServices;
  if (request.listServices !== undefined) {
    return { listServicesResponse: { service: services.map((name) => ({ name })) } };
  }
  const files = filesOf(services);
  if (request.fileByFilename !== undefined) {
    return describe(files.find((file) => file.name === request.fileByFilename));
  }
  if (request.fileContainingSymbol !== undefined) {
    const symbol = request.fileContainingSymbol;
    return describe(files.find((file) => declares(file, symbol)));
  }
  return describe(undefined); // extensions: there are none
}

function describe(file: DescriptorFile | undefined): Response {
  if (file === undefined) {
    return { errorResponse: { errorCode: Status.notFound, errorMessage: "not found" } };
  }
  const files = withImports([file]).map((item) => Buffer.from(item.descriptor, "base64"));
  return { fileDescriptorResponse: { fileDescriptorProto: files } };
}

/** Whether a file declares a service or message, or something within one. */
function declares(file: DescriptorFile, symbol: string): boolean {
  return [...file.services, ...file.messages].some(
    (name) => symbol === name || symbol.startsWith(`${name}.`),
  );
}

function filesOf(services: readonly string[]): DescriptorFile[] {
  return withImports(FILES.filter((file) => file.services.some((name) => services.includes(name))));
}

/** The files, and all that they import, each once. */
function withImports(files: readonly DescriptorFile[]): DescriptorFile[] {
  const all = new Set(files);
  for (const file of all) {
    // A set's iteration reaches what is added during it.
    for (const found of FILES) if (file.imports.includes(found.name)) all.add(found);
  }
  return [...all];
}
