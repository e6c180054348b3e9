// One call at the server: reads requests only when the handler asks, sends a response only when the
// one before has gone out, ends with a status. It works on grpc-js's interceptor interface, below its
// stream objects, which would cost more than our handlers do. Who makes these: server.ts.

import type { Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { Status } from "../../pki/errors.ts";
import { protoError } from "../errors.ts";
import { type AnyMethod, type CallContext, Encoded } from "./service.ts";
import { type OnInternalError, type OutgoingStatus, statusOfError } from "./status.ts";

/** A handler whose types are forgotten. */
export type UntypedHandler = (input: unknown, context: CallContext) => unknown;
/** Runs around a call; see RpcServerOptions. */
export type Intercept = (context: CallContext, next: () => Promise<void>) => Promise<void>;

/** What a call needs to run. */
export interface CallParts {
  readonly method: AnyMethod;
  readonly handler: UntypedHandler | undefined;
  readonly peer: unknown;
  readonly intercept: Intercept | undefined;
  readonly onInternalError: OnInternalError;
  readonly onEnd: (call: ServerCall) => void;
}

const OK: OutgoingStatus = { code: Status.ok, details: "OK" };
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class ServerCall implements CallContext {
  readonly method: string;
  readonly peer: unknown;
  readonly #wire: ServerInterceptingCallInterface;
  readonly #parts: CallParts;
  #headers: Metadata | undefined;
  #controller: AbortController | undefined;
  #ended = false;
  #running = false;
  #halfClosed = false;
  #onRequest: PromiseWithResolvers<IteratorResult<unknown>> | undefined;
  #onFlushed: (() => void) | undefined;
  #responses: AsyncIterator<unknown> | undefined;

  constructor(wire: ServerInterceptingCallInterface, parts: CallParts) {
    this.#wire = wire;
    this.#parts = parts;
    this.method = parts.method.path;
    this.peer = parts.peer;
  }

  /** Whether this call may stay open for as long as the client likes. */
  get isStream(): boolean {
    return this.#parts.method.kind !== "unary";
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended && !this.#controller.signal.aborted) this.#abort();
    return this.#controller.signal;
  }

  metadata(name: string): string | undefined {
    const values = this.#headers?.get(name);
    return values === undefined || values.length === 0 ? undefined : values.join(", ");
  }

  /** Begins to read; the handler runs when its input is there. */
  start(): void {
    this.#wire.start({
      onReceiveMetadata: (headers) => {
        this.#headers = headers;
        if (this.#takesStream) void this.#run(this.#requests());
        else this.#wire.startRead();
      },
      onReceiveMessage: (bytes) => this.#receive(bytes as Buffer),
      onReceiveHalfClose: () => this.#receiveEnd(),
      onCancel: () => this.#end(),
    });
  }

  /** Ends the call with `error`, unless it has ended. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#finish(statusOfError(error, this.#parts.onInternalError));
  }

  get #takesStream(): boolean {
    return this.#parts.method.kind === "bidi" || this.#parts.method.kind === "clientStream";
  }

  get #givesStream(): boolean {
    return this.#parts.method.kind === "bidi" || this.#parts.method.kind === "serverStream";
  }

  #receive(bytes: Buffer): void {
    try {
      const message = this.#parts.method.request.decode(bytes);
      if (this.#takesStream) this.#settleRequest({ done: false, value: message });
      else if (!this.#running) void this.#run(message);
    } catch (error) {
      this.fail(error);
    }
  }

  #receiveEnd(): void {
    this.#halfClosed = true;
    if (this.#takesStream) this.#settleRequest(DONE);
    else if (!this.#running)
      this.fail(protoError("CALL_INVALID", "the call came without a request"));
  }

  async #run(input: unknown): Promise<void> {
    this.#running = true;
    const { intercept } = this.#parts;
    try {
      if (intercept === undefined) await this.#handle(input);
      else await intercept(this, () => this.#handle(input));
      this.#finish(OK);
    } catch (error) {
      this.fail(error);
    }
  }

  async #handle(input: unknown): Promise<void> {
    const { handler, method } = this.#parts;
    if (handler === undefined) {
      throw protoError("METHOD_UNIMPLEMENTED", `${method.path} is not implemented here`);
    }
    const result = handler(input, this);
    if (this.#givesStream) return this.#sendAll(result as AsyncIterable<unknown>);
    const response = await result;
    if (!this.#ended) this.#wire.sendMessage(this.#encode(response), () => undefined);
  }

  async #sendAll(responses: AsyncIterable<unknown>): Promise<void> {
    const iterator = responses[Symbol.asyncIterator]();
    this.#responses = iterator;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true || this.#ended) break;
      await this.#send(this.#encode(next.value));
    }
  }

  /** Resolves when the message has gone to the socket, that is, when the client has room for it. */
  #send(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#onFlushed = resolve; // a call that ends never calls back
      this.#wire.sendMessage(bytes, resolve);
    });
  }

  #encode(message: unknown): Buffer {
    return message instanceof Encoded ? message.bytes : this.#parts.method.response.encode(message);
  }

  /** The requests, each read when it is asked for. */
  #requests(): AsyncIterableIterator<unknown> {
    const requests: AsyncIterableIterator<unknown> = {
      [Symbol.asyncIterator]: () => requests,
      next: () => this.#nextRequest(),
      return: async () => DONE,
    };
    return requests;
  }

  #nextRequest(): Promise<IteratorResult<unknown>> {
    if (this.#ended || this.#halfClosed) return Promise.resolve(DONE);
    if (this.#onRequest !== undefined) throw new TypeError("a request is being waited for");
    const request = Promise.withResolvers<IteratorResult<unknown>>();
    this.#onRequest = request;
    this.#wire.startRead(); // answers at once when a message has come already
    return request.promise;
  }

  #settleRequest(result: IteratorResult<unknown>): void {
    this.#onRequest?.resolve(result);
    this.#onRequest = undefined;
  }

  #finish(status: OutgoingStatus): void {
    if (this.#ended) return;
    this.#wire.sendStatus(status);
    this.#end();
  }

  /** The call is over, by our status, the client's cancellation, its deadline or a lost connection. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#settleRequest(DONE);
    this.#onFlushed?.();
    if (this.#controller !== undefined) this.#abort();
    // Runs the `finally` of a handler that waits at a yield; one that waits elsewhere has the signal.
    this.#responses?.return?.().catch(() => undefined);
    this.#parts.onEnd(this);
  }

  #abort(): void {
    this.#controller?.abort(protoError("CALL_CANCELLED", "the call has ended"));
  }
}
