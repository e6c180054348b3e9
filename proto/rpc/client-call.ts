// One call at the client, on grpc-js's channel, below its stream objects: responses are read only
// when they are asked for.

import type { ChannelInterface, Metadata } from "@grpc/grpc-js";
import { Status } from "../../pki/errors.ts";
import type { Init } from "../codec.ts";
import { protoError } from "../errors.ts";
import { describeFailure } from "./connect-failure.ts";
import type { AnyMethod } from "./service.ts";
import { errorOfStatus } from "./status.ts";

export interface CallOptions {
  /** Cancels the call; it then fails with CALL_CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /** From now to the last response. */
  readonly timeoutMs?: number | undefined;
  /** Headers of this call, beside the channel's. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A call with streams in both directions. */
export interface BidiCall<Request, Response> {
  /** Resolves when the message is on its way. @throws the call's error once it has failed */
  send(message: Init<Request>): Promise<void>;
  /** No more requests follow. */
  end(): void;
  cancel(): void;
  readonly responses: AsyncIterableIterator<Response>;
}

type WireCall = ReturnType<ChannelInterface["createCall"]>;
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

class ClientCall {
  readonly #method: AnyMethod;
  readonly #wire: WireCall;
  #outcome: { readonly error: Error | undefined } | undefined;
  #onResponse: PromiseWithResolvers<IteratorResult<unknown>> | undefined;
  #onSent: PromiseWithResolvers<void> | undefined;
  #release: (() => void) | undefined;

  constructor(
    channel: ChannelInterface,
    method: AnyMethod,
    metadata: Metadata,
    options: CallOptions = {},
  ) {
    this.#method = method;
    const { signal, timeoutMs } = options;
    const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
    this.#wire = channel.createCall(method.path, deadline, null, null, null);
    this.#wire.start(withHeaders(metadata, options.metadata), {
      onReceiveMetadata: () => undefined,
      onReceiveMessage: (bytes) => this.#receive(bytes as Buffer),
      onReceiveStatus: (status) => {
        const { code, details } = status;
        const text = describeFailure(details);
        this.#end(code === Status.ok ? undefined : errorOfStatus(code, text, status.metadata));
      },
    });
    if (signal !== undefined) this.#follow(signal);
  }

  send(message: Init<unknown>): Promise<void> {
    if (this.#outcome !== undefined) return Promise.reject(this.#outcome.error ?? ended());
    const bytes = this.#method.request.encode(message);
    const sent = Promise.withResolvers<void>();
    this.#onSent = sent;
    this.#wire.sendMessageWithContext({ callback: () => sent.resolve() }, bytes);
    return sent.promise;
  }

  /** The only request: its way out needs no attention, the response tells. */
  sendOnly(bytes: Buffer): void {
    this.#wire.sendMessageWithContext({}, bytes);
    this.#wire.halfClose();
  }

  end(): void {
    this.#wire.halfClose();
  }

  cancel(): void {
    if (this.#outcome !== undefined) return;
    this.#wire.cancelWithStatus(Status.cancelled, "the call was cancelled");
    this.#end(protoError("CALL_CANCELLED", `the call of ${this.#method.path} was cancelled`));
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#outcome !== undefined) {
      const { error } = this.#outcome;
      return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
    }
    if (this.#onResponse !== undefined) throw new TypeError("a response is being waited for");
    const response = Promise.withResolvers<IteratorResult<unknown>>();
    this.#onResponse = response;
    this.#wire.startRead();
    return response.promise;
  }

  #receive(bytes: Buffer): void {
    const response = this.#onResponse;
    this.#onResponse = undefined;
    try {
      response?.resolve({ done: false, value: this.#method.response.decode(bytes) });
    } catch (cause) {
      const { name } = this.#method.response;
      const error = protoError("RESPONSE_MALFORMED", `the response is no ${name}`, { cause });
      response?.reject(error);
      this.#wire.cancelWithStatus(Status.cancelled, error.message);
      this.#end(error);
    }
  }

  #follow(signal: AbortSignal): void {
    const cancel = (): void => this.cancel();
    if (signal.aborted) {
      cancel();
      return;
    }
    signal.addEventListener("abort", cancel, { once: true });
    this.#release = () => signal.removeEventListener("abort", cancel);
  }

  #end(error: Error | undefined): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = { error };
    this.#release?.();
    if (error === undefined) this.#onResponse?.resolve(DONE);
    else this.#onResponse?.reject(error);
    this.#onSent?.resolve();
    this.#onResponse = undefined;
  }
}

function withHeaders(metadata: Metadata, more: CallOptions["metadata"]): Metadata {
  if (more === undefined) return metadata;
  const merged = metadata.clone();
  for (const [name, value] of Object.entries(more)) merged.set(name, value);
  return merged;
}

function ended(): Error {
  return protoError("CALL_CANCELLED", "the call has ended");
}

export async function callUnary(
  channel: ChannelInterface,
  method: AnyMethod,
  metadata: Metadata,
  request: Init<unknown>,
  options?: CallOptions,
): Promise<unknown> {
  const bytes = method.request.encode(request); // what cannot be encoded opens no call
  const call = new ClientCall(channel, method, metadata, options);
  call.sendOnly(bytes);
  const first = await call.next();
  if (first.done === true) {
    throw protoError("RESPONSE_MALFORMED", `${method.path} ended without a response`);
  }
  await call.next();
  return first.value;
}

export function callStream(
  channel: ChannelInterface,
  method: AnyMethod,
  metadata: Metadata,
  request: Init<unknown>,
  options?: CallOptions,
): AsyncIterableIterator<unknown> {
  const bytes = method.request.encode(request); // what cannot be encoded opens no call
  const call = new ClientCall(channel, method, metadata, options);
  call.sendOnly(bytes);
  return responsesOf(call);
}

export function callBidi(
  channel: ChannelInterface,
  method: AnyMethod,
  metadata: Metadata,
  options?: CallOptions,
): BidiCall<unknown, unknown> {
  const call = new ClientCall(channel, method, metadata, options);
  return {
    send: (message) => call.send(message),
    end: () => call.end(),
    cancel: () => call.cancel(),
    responses: responsesOf(call),
  };
}

/** Leaving the loop over these cancels the call. */
function responsesOf(call: ClientCall): AsyncIterableIterator<unknown> {
  const responses: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => responses,
    next: () => call.next(),
    return: async () => {
      call.cancel();
      return DONE;
    },
  };
  return responses;
}
