// A gRPC service as a value: its methods, their codecs, and the types of those who implement and
// call it. The values themselves are generated (schema.gen.ts).

import type { Codec, Init, Schema } from "../codec.ts";
import { frame, PREFIX_BYTES } from "./frames.ts";

/** Which sides of a method stream. */
export type MethodKind = "unary" | "serverStream" | "clientStream" | "bidi";

/** One method: Request and Response are the decoded messages. */
export interface Method<Kind extends MethodKind, Request, Response> {
  /** As in the .proto file: "BatchCreateEntry". */
  readonly name: string;
  /** "/package.Service/Method", the HTTP/2 path. */
  readonly path: string;
  readonly kind: Kind;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

// biome-ignore lint/suspicious/noExplicitAny: no other type is a supertype of every method
export type AnyMethod = Method<MethodKind, any, any>;
export type Methods = Readonly<Record<string, AnyMethod>>;

/** A service: full name without a leading dot, methods by name with a small first letter. */
export interface Service<M extends Methods = Methods> {
  readonly name: string;
  readonly methods: M;
}

/** A message of a stream that is encoded already, so that a broadcast is encoded, and held, once. */
export class Encoded {
  /** As it is sent, with gRPC's prefix: one copy for all streams. */
  readonly framed: Buffer;

  constructor(bytes: Uint8Array) {
    this.framed = frame(bytes);
  }

  /** The message, without the prefix. */
  get bytes(): Buffer {
    return this.framed.subarray(PREFIX_BYTES);
  }

  /** Encodes `message` once, for any number of streams. */
  static of<T>(codec: Codec<T>, message: Init<T>): Encoded {
    return new Encoded(codec.encode(message));
  }
}

/** What a handler knows of its call besides the request. */
export interface CallContext {
  /** Aborts when the caller goes away, its deadline passes, or the server closes. */
  readonly signal: AbortSignal;
  /** "/package.Service/Method". */
  readonly method: string;
  /** The tag given with the connection. */
  readonly peer: unknown;
  /** A header of the call, repeated ones joined by ", "; undefined when it is absent. Names in lower case. */
  metadata(name: string): string | undefined;
}

type Result<T> = Init<T> | Encoded;

/** The implementation of one method. Streams are pulled only as fast as the other side reads. */
export type Handler<M> =
  M extends Method<infer Kind, infer Request, infer Response>
    ? Kind extends "unary"
      ? (request: Request, context: CallContext) => Promise<Result<Response>>
      : Kind extends "serverStream"
        ? (request: Request, context: CallContext) => AsyncIterable<Result<Response>>
        : Kind extends "clientStream"
          ? (requests: AsyncIterable<Request>, context: CallContext) => Promise<Result<Response>>
          : (
              requests: AsyncIterable<Request>,
              context: CallContext,
            ) => AsyncIterable<Result<Response>>
    : never;

/** The implementation of a service; a method left out answers UNIMPLEMENTED. */
export type Handlers<S extends Service> = {
  readonly [K in keyof S["methods"]]?: Handler<S["methods"][K]>;
};

type Row = readonly [name: string, kind: MethodKind, request: string, response: string];

/** Builds the value of a service from its generated rows. */
export function serviceOf<M extends Methods>(
  schema: Schema,
  name: string,
  rows: Readonly<Record<string, Row>>,
): Service<M> {
  const methods: Record<string, AnyMethod> = {};
  for (const [key, [method, kind, request, response]] of Object.entries(rows)) {
    methods[key] = {
      name: method,
      path: `/${name}/${method}`,
      kind,
      request: schema.codec(request),
      response: schema.codec(response),
    };
  }
  return { name, methods: methods as M };
}
