// One call at the server, on its HTTP/2 stream: reads requests only when the handler asks, sends a
// response only when the client has room for it, ends with a status. Who makes these: server.ts.

import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { protoError } from "../errors.ts";
import { FrameReader, frame } from "./frames.ts";
import { MAX_UNSENT_BYTES } from "./limits.ts";
import { type AnyMethod, type CallContext, Encoded } from "./service.ts";
import { type OnInternalError, type OutgoingStatus, statusOfError } from "./status.ts";
import { parseTimeout } from "./timeout.ts";

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
  readonly maxMessageBytes: number;
  /** Counts this call among its caller's, or throws; what it returns is called when its stream has closed. */
  readonly enter: () => () => void;
  /** Counts the bytes of incomplete requests that the connection holds; throws beyond its limit. */
  readonly hold: (bytes: number) => void;
  readonly onInternalError: OnInternalError;
  /** The status is decided. */
  readonly onEnd: (call: ServerCall) => void;
  /** The stream has closed: nothing of the call is left. */
  readonly onClose: (call: ServerCall) => void;
}

const RESPONSE = { ":status": 200, "content-type": "application/grpc+proto" } as const;
const WITH_TRAILERS = { waitForTrailers: true } as const;
const OK_TRAILERS = { "grpc-status": "0" } as const;
/** Why a call's signal aborts. One for all: making an error costs more than the rest of a call's end. */
const ENDED = protoError("CALL_CANCELLED", "the call has ended");
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class ServerCall implements CallContext {
  readonly method: string;
  readonly peer: unknown;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #parts: CallParts;
  readonly #frames: FrameReader;
  #controller: AbortController | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #held = 0;
  #ended = false;
  #running = false;
  #halfClosed = false;
  /** Whether the client owes the rest of a request, or has to take the rest of an answer. */
  #isWaiting = true;
  #waitingSinceMs: number = performance.now();
  #onRequest: PromiseWithResolvers<IteratorResult<unknown>> | undefined;
  #onRoom: (() => void) | undefined;
  #responses: AsyncIterator<unknown> | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, parts: CallParts) {
    this.#stream = stream;
    this.#headers = headers;
    this.#parts = parts;
    this.#frames = new FrameReader(parts.maxMessageBytes);
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
    const value = this.#headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** Begins to read; the handler runs when its input is there. */
  start(): void {
    const stream = this.#stream;
    stream.on("error", () => undefined); // its close follows
    let leave: (() => void) | undefined;
    stream.on("close", () => {
      this.#end();
      leave?.();
      this.#parts.onClose(this);
    });
    try {
      leave = this.#parts.enter();
      const timeoutMs = parseTimeout(this.metadata("grpc-timeout"));
      if (timeoutMs !== undefined) this.#deadline = setTimeout(() => this.#expire(), timeoutMs);
    } catch (error) {
      this.fail(error);
      return;
    }
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("end", () => this.#receiveEnd());
    if (this.#takesStream) {
      stream.pause();
      void this.#run(() => this.#requests());
    }
  }

  /** Ends the call, or drops what is left of it, if the client has let it wait for longer than this. */
  expireTransfer(timeoutMs: number): void {
    if (!this.#isWaiting || performance.now() - this.#waitingSinceMs < timeoutMs) return;
    if (this.#ended) this.#stream.close(constants.NGHTTP2_CANCEL);
    else this.fail(protoError("CALL_DEADLINE_EXCEEDED", "the request did not come in time"));
  }

  /** Ends the call with `error`, unless it has ended. */
  fail(error: unknown): void {
    if (this.#ended) return;
    const trailers = trailersOf(statusOfError(error, this.#parts.onInternalError));
    if (this.#stream.headersSent) this.#sendTrailers(trailers);
    else if (this.#isOpen) {
      this.#stream.respond({ ...RESPONSE, ...trailers }, { endStream: true });
      this.#closeReading();
    }
    this.#end();
  }

  /** Whether the stream takes headers: once the client has reset it, node:http2 throws. */
  get #isOpen(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed;
  }

  get #takesStream(): boolean {
    return this.#parts.method.kind === "bidi" || this.#parts.method.kind === "clientStream";
  }

  get #givesStream(): boolean {
    return this.#parts.method.kind === "bidi" || this.#parts.method.kind === "serverStream";
  }

  #expire(): void {
    this.fail(protoError("CALL_DEADLINE_EXCEEDED", "the call's deadline has passed"));
  }

  #receive(chunk: Buffer): void {
    // After its one request a client has nothing more to say.
    if (this.#ended || (this.#running && !this.#takesStream)) return;
    try {
      this.#frames.push(chunk);
      if (this.#takesStream) {
        this.#stream.pause();
        this.#settleRequest();
      } else {
        const bytes = this.#nextMessage();
        if (bytes !== undefined) void this.#run(() => this.#parts.method.request.decode(bytes));
      }
      this.#hold(this.#frames.heldBytes);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The next complete message; without one, the client has from then on the time of a transfer. */
  #nextMessage(): Buffer | undefined {
    const bytes = this.#frames.next();
    if (bytes !== undefined) this.#isWaiting = false;
    else if (!this.#isWaiting && this.#frames.heldBytes > 0) this.#wait();
    return bytes;
  }

  #wait(): void {
    this.#isWaiting = true;
    this.#waitingSinceMs = performance.now();
  }

  #hold(bytes: number): void {
    const change = bytes - this.#held;
    if (change === 0) return;
    this.#held = bytes;
    this.#parts.hold(change);
  }

  #receiveEnd(): void {
    if (this.#ended) return;
    this.#halfClosed = true;
    this.#isWaiting = false;
    if (this.#takesStream) this.#settleRequest();
    else if (this.#running) return;
    else if (this.#frames.heldBytes > 0) this.fail(truncated());
    else this.fail(protoError("CALL_INVALID", "the call came without a request"));
  }

  /** `input` is called after `intercept`, which may refuse the call before anything is decoded. */
  async #run(input: () => unknown): Promise<void> {
    this.#running = true;
    const { intercept } = this.#parts;
    try {
      if (intercept === undefined) await this.#handle(input());
      else await intercept(this, () => this.#handle(input()));
      this.#finish();
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
    if (!this.#ended) this.#send(response);
  }

  async #sendAll(responses: AsyncIterable<unknown>): Promise<void> {
    const iterator = responses[Symbol.asyncIterator]();
    this.#responses = iterator;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true || this.#ended) break;
      this.#send(next.value, this.#written);
      if (!this.#hasRoom) await this.#room();
    }
  }

  /** Writes a message. */
  #send(message: unknown, onWritten?: () => void): void {
    const framed =
      message instanceof Encoded
        ? message.framed
        : frame(this.#parts.method.response.encode(message));
    if (!this.#isOpen) return;
    if (!this.#stream.headersSent) this.#stream.respond(RESPONSE, WITH_TRAILERS);
    this.#stream.write(framed, onWritten);
  }

  // Not the stream's own mark, 64 KiB: a thousand clients that do not read would hold that many.
  get #hasRoom(): boolean {
    return this.#ended || (this.#isOpen && this.#stream.writableLength <= MAX_UNSENT_BYTES);
  }

  readonly #written = (): void => {
    if (this.#hasRoom) this.#onRoom?.();
  };

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
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
    if (this.#onRequest !== undefined) throw new TypeError("a request is being waited for");
    this.#onRequest = Promise.withResolvers();
    const { promise } = this.#onRequest;
    this.#settleRequest();
    return promise;
  }

  /** Gives the next request, or the end, to who waits for it; asks the client for more otherwise. */
  #settleRequest(): void {
    if (this.#onRequest === undefined) return;
    const { resolve, reject } = this.#onRequest;
    try {
      const bytes = this.#ended ? undefined : this.#nextMessage();
      if (bytes !== undefined) {
        resolve({ done: false, value: this.#parts.method.request.decode(bytes) });
      } else if (this.#ended) resolve(DONE);
      else if (!this.#halfClosed) {
        this.#stream.resume();
        return;
      } else if (this.#frames.heldBytes > 0) throw truncated();
      else resolve(DONE);
    } catch (error) {
      reject(error);
    }
    this.#onRequest = undefined;
    this.#hold(this.#frames.heldBytes);
  }

  #finish(): void {
    if (this.#ended) return;
    if (!this.#stream.headersSent && this.#isOpen) {
      this.#stream.respond(RESPONSE, WITH_TRAILERS);
    }
    this.#sendTrailers(OK_TRAILERS);
    this.#end();
  }

  #sendTrailers(trailers: Record<string, string>): void {
    const stream = this.#stream;
    if (!this.#isOpen) return;
    stream.once("wantTrailers", () => {
      if (!this.#isOpen) return;
      stream.sendTrailers(trailers);
      setImmediate(() => this.#closeReading());
    });
    stream.end();
  }

  /** A client that goes on sending after its answer is read no further. */
  #closeReading(): void {
    const stream = this.#stream;
    if (stream.readableEnded || stream.destroyed) return;
    stream.resume();
    stream.close(constants.NGHTTP2_NO_ERROR);
  }

  /** The call is over, by our status, the client's cancellation, its deadline or a lost connection. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wait();
    clearTimeout(this.#deadline);
    this.#frames.clear();
    this.#hold(0);
    this.#settleRequest();
    this.#onRoom?.();
    if (this.#controller !== undefined) this.#abort();
    // Runs the `finally` of a handler that waits at a yield; one that waits elsewhere has the signal.
    this.#responses?.return?.().catch(() => undefined);
    this.#parts.onEnd(this);
  }

  #abort(): void {
    this.#controller?.abort(ENDED);
  }
}

function truncated(): Error {
  return protoError("CALL_INVALID", "the request ended inside a message");
}

/** A status as the headers that end a call. */
export function trailersOf(status: OutgoingStatus): Record<string, string> {
  return {
    "grpc-status": String(status.code),
    "grpc-message": encodeURI(status.message),
    "grpc-status-details-bin": status.details.toString("base64"),
  };
}
