// A connection to the Workload API: one method for each of its RPCs, with values that were checked. The
// long-lived holders of identities on top of it: x509-source.ts, jwt-source.ts and
// wit/wit-source.ts.

import type { SpiffeId } from "../pki/spiffe-id.ts";
import { type Channel, type ClientOf, createChannel } from "../proto/rpc/client.ts";
import { SpiffeWorkloadApi, type workload } from "../proto/schema.gen.ts";
import { CrlReader } from "./crls.ts";
import { findEndpoint } from "./endpoint.ts";
import { clientError } from "./errors.ts";
import { pickByHint } from "./hints.ts";
import {
  type JwtBundles,
  readJwtBundles,
  readJwtSvids,
  readValidation,
  type ValidatedJwtSvid,
  type WorkloadJwtSvid,
} from "./jwt-context.ts";
import { SECURITY_HEADER } from "./security-header.ts";
import { type WatchOptions, watch } from "./watch.ts";
import {
  readWitBundles,
  readWitSvids,
  type WitBundles,
  type WorkloadWitSvid,
} from "./wit/wit-context.ts";
import {
  NO_X509_CONTEXT,
  readX509Bundles,
  readX509Context,
  type WorkloadX509Svid,
  type X509Bundles,
  type X509Context,
} from "./x509-context.ts";

const DEFAULT_TIMEOUT_MS = 30_000;

export interface WorkloadApiOptions {
  /** `unix:///path` or `tcp://IP:PORT`; by default what SPIFFE_ENDPOINT_SOCKET says. */
  readonly endpoint?: string;
}

export interface FetchOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for the answer. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface PickOptions extends FetchOptions {
  /** Which identity, where there are several; by default the first. */
  readonly hint?: string;
}

export interface JwtRequest extends PickOptions {
  /** Who will receive the token: one value, in normal use. */
  readonly audience: string | readonly string[];
  /** Which identity, by its SPIFFE ID. */
  readonly spiffeId?: SpiffeId | string;
}

export interface WitRequest {
  /** Which identity, by its SPIFFE ID; by default all. */
  readonly spiffeId?: SpiffeId | string;
}

/** Connects when first used, and again when the connection is lost. Errors have the agent's reasons. */
export class WorkloadApi implements Disposable {
  readonly #channel: Channel;
  readonly #client: ClientOf<typeof SpiffeWorkloadApi>;

  /** @throws ENDPOINT_MISSING, ENDPOINT_INVALID */
  constructor(options: WorkloadApiOptions = {}) {
    this.#channel = createChannel({
      address: findEndpoint(options.endpoint),
      metadata: SECURITY_HEADER,
    });
    this.#client = this.#channel.client(SpiffeWorkloadApi);
  }

  /** This workload's SVIDs and bundles, as of now. */
  async fetchX509Context(options: FetchOptions = {}): Promise<X509Context> {
    return readX509Context(await first(this.#client.fetchX509SVID({}, callOptions(options))));
  }

  /** @throws IDENTITY_NOT_FOUND when no identity has the hint */
  async fetchX509Svid(options: PickOptions = {}): Promise<WorkloadX509Svid> {
    return pickByHint((await this.fetchX509Context(options)).svids, options.hint);
  }

  async fetchX509Bundles(options: FetchOptions = {}): Promise<X509Bundles> {
    return readX509Bundles(await first(this.#client.fetchX509Bundles({}, callOptions(options))));
  }

  /** One JWT-SVID for each identity, or the one of `spiffeId`. */
  async fetchJwtSvids(request: JwtRequest): Promise<readonly WorkloadJwtSvid[]> {
    const audience = typeof request.audience === "string" ? [request.audience] : request.audience;
    const spiffeId = request.spiffeId?.toString() ?? "";
    const wire = { audience: [...audience], spiffeId };
    return readJwtSvids(await this.#client.fetchJWTSVID(wire, callOptions(request)), audience);
  }

  /** @throws IDENTITY_NOT_FOUND when no identity has the hint */
  async fetchJwtSvid(request: JwtRequest): Promise<WorkloadJwtSvid> {
    return pickByHint(await this.fetchJwtSvids(request), request.hint);
  }

  async fetchJwtBundles(options: FetchOptions = {}): Promise<JwtBundles> {
    return readJwtBundles(await first(this.#client.fetchJWTBundles({}, callOptions(options))));
  }

  /** Has the agent validate a token that somebody presented; `audience` is this workload's own name. */
  async validateJwtSvid(
    token: string,
    audience: string,
    options: FetchOptions = {},
  ): Promise<ValidatedJwtSvid> {
    const request = { audience, svid: token };
    return readValidation(await this.#client.validateJWTSVID(request, callOptions(options)));
  }

  /**
   * Follows this workload's X.509 state for as long as it is iterated: each state replaces the one before
   * whole. One without SVIDs means that the identity was withdrawn.
   */
  watchX509Context(options: WatchOptions = {}): AsyncGenerator<X509Context, void, undefined> {
    const open = (signal: AbortSignal) => this.#client.fetchX509SVID({}, { signal });
    const crls = new CrlReader(options.onError);
    const read = (message: workload.X509SVIDResponse) => readX509Context(message, crls);
    return watch({ open, read, nothing: NO_X509_CONTEXT }, options);
  }

  /** Follows the JWT bundles; an empty map means that they were withdrawn. */
  watchJwtBundles(options: WatchOptions = {}): AsyncGenerator<JwtBundles, void, undefined> {
    const open = (signal: AbortSignal) => this.#client.fetchJWTBundles({}, { signal });
    const nothing: JwtBundles = new Map();
    return watch({ open, read: readJwtBundles, nothing }, options);
  }

  /** The WIT-SVID of each identity, or of `spiffeId`, with their keys. */
  async fetchWitSvids(
    options: WitRequest & FetchOptions = {},
  ): Promise<readonly WorkloadWitSvid[]> {
    const stream = this.#client.fetchWITSVID(witRequest(options), callOptions(options));
    return readWitSvids(await first(stream));
  }

  /** @throws IDENTITY_NOT_FOUND when no identity has the hint */
  async fetchWitSvid(options: WitRequest & PickOptions = {}): Promise<WorkloadWitSvid> {
    return pickByHint(await this.fetchWitSvids(options), options.hint);
  }

  async fetchWitBundles(options: FetchOptions = {}): Promise<WitBundles> {
    return readWitBundles(await first(this.#client.fetchWITBundles({}, callOptions(options))));
  }

  /** Follows this workload's WIT-SVIDs; an empty list means that the identity was withdrawn. */
  watchWitSvids(
    options: WitRequest & WatchOptions = {},
  ): AsyncGenerator<readonly WorkloadWitSvid[], void, undefined> {
    const open = (signal: AbortSignal) =>
      this.#client.fetchWITSVID(witRequest(options), { signal });
    return watch({ open, read: readWitSvids, nothing: [] }, options);
  }

  /** Follows the WIT bundles; an empty map means that they were withdrawn. */
  watchWitBundles(options: WatchOptions = {}): AsyncGenerator<WitBundles, void, undefined> {
    const open = (signal: AbortSignal) => this.#client.fetchWITBundles({}, { signal });
    const nothing: WitBundles = new Map();
    return watch({ open, read: readWitBundles, nothing }, options);
  }

  close(): void {
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function witRequest({ spiffeId }: WitRequest): { spiffeId: string } {
  return { spiffeId: spiffeId?.toString() ?? "" };
}

function callOptions({ signal, timeoutMs = DEFAULT_TIMEOUT_MS }: FetchOptions): {
  signal: AbortSignal | undefined;
  timeoutMs: number;
} {
  return { signal, timeoutMs };
}

/** The first message of a stream, which is then ended. */
async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const message of stream) return message;
  throw clientError(
    "WORKLOAD_API_RESPONSE_INVALID",
    "the agent ended the stream without an answer",
  );
}
