// FakeWorkloadApi: a real gRPC server on a unix socket whose answers a test sets. A stream gets the
// current answer at once and every later one; an IdentityError as answer ends it.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { IdentityError, Status } from "../../pki/errors.ts";
import { exportPkcs8 } from "../../pki/keys.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";
import type { Init } from "../../proto/codec.ts";
import { createRpcServer, type RpcServer } from "../../proto/rpc/server.ts";
import type { CallContext } from "../../proto/rpc/service.ts";
import { SpiffeWorkloadApi, type workload } from "../../proto/schema.gen.ts";
import type { TestAuthority } from "./test-authority.ts";

/** The last answer set, for any number of streams. */
class Answer<T> {
  #current: T | IdentityError | undefined;
  #changed = Promise.withResolvers<void>();
  #ended = false;

  set(value: T | IdentityError): void {
    this.#current = value;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Streams end with status OK, as no agent should. */
  end(): void {
    this.#ended = true;
    this.#changed.resolve();
  }

  get(): T {
    if (this.#current === undefined) throw noAnswer();
    if (this.#current instanceof Error) throw this.#current;
    return this.#current;
  }

  async *stream(signal: AbortSignal): AsyncGenerator<T> {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    while (!signal.aborted && !this.#ended) {
      const changed = this.#changed.promise;
      if (this.#current !== undefined) yield this.get();
      await Promise.race([changed, aborted.promise]);
    }
  }
}

export class FakeWorkloadApi {
  readonly endpoint: string;
  readonly x509: Answer<Init<workload.X509SVIDResponse>> = new Answer();
  readonly x509Bundles: Answer<Init<workload.X509BundlesResponse>> = new Answer();
  readonly jwtBundles: Answer<Init<workload.JWTBundlesResponse>> = new Answer();
  readonly wit: Answer<Init<workload.WITSVIDResponse>> = new Answer();
  readonly witBundles: Answer<Init<workload.WITBundlesResponse>> = new Answer();
  /** The SPIFFE ID that each call of FetchWITSVID asked for. */
  readonly witRequests: string[] = [];
  /** Answers FetchJWTSVID and ValidateJWTSVID. */
  jwt: (request: workload.JWTSVIDRequest) => Promise<Init<workload.JWTSVIDResponse>>;
  validation: (
    request: workload.ValidateJWTSVIDRequest,
  ) => Promise<Init<workload.ValidateJWTSVIDResponse>>;
  /** Every call so far: "Method header-value". */
  readonly calls: string[] = [];
  readonly #folder: string;
  #rpc: RpcServer | undefined;
  #listener: Server | undefined;
  readonly #sockets: Set<Socket> = new Set();

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "fake-"));
    this.endpoint = `unix://${join(this.#folder, "api.sock")}`;
    this.jwt = this.validation = async () => {
      throw noAnswer();
    };
  }

  /** Starts one that ends with the test. */
  static async start(t: Test): Promise<FakeWorkloadApi> {
    const api = new FakeWorkloadApi();
    t.teardown(async () => {
      await api.stop();
      rmSync(api.#folder, { recursive: true, force: true });
    });
    await api.start();
    return api;
  }

  async start(): Promise<void> {
    const rpc = createRpcServer({
      onInternalError: (error) => {
        throw error;
      },
      intercept: async (context, next) => {
        this.#note(context);
        await next();
      },
    });
    rpc.add(SpiffeWorkloadApi, {
      fetchX509SVID: (_, { signal }) => this.x509.stream(signal),
      fetchX509Bundles: (_, { signal }) => this.x509Bundles.stream(signal),
      fetchJWTBundles: (_, { signal }) => this.jwtBundles.stream(signal),
      fetchJWTSVID: (request) => this.jwt(request),
      validateJWTSVID: (request) => this.validation(request),
      fetchWITSVID: ({ spiffeId }, { signal }) => {
        this.witRequests.push(spiffeId);
        return this.wit.stream(signal);
      },
      fetchWITBundles: (_, { signal }) => this.witBundles.stream(signal),
    });
    const listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      rpc.inject(socket, undefined);
    });
    await new Promise<void>((resolve) => {
      listener.listen(this.endpoint.slice("unix://".length), resolve);
    });
    this.#rpc = rpc;
    this.#listener = listener;
  }

  /** Goes away like an agent that was killed. */
  async stop(): Promise<void> {
    this.#listener?.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#rpc?.close(0);
    this.#rpc = this.#listener = undefined;
  }

  /** How often a method was called. */
  count(method: string): number {
    return this.calls.filter((call) => call.startsWith(`${method} `)).length;
  }

  #note(context: CallContext): void {
    const method = context.method.split("/").at(-1);
    this.calls.push(`${method} ${context.metadata("workload.spiffe.io")}`);
  }
}

function noAnswer(): IdentityError {
  return new IdentityError("TEST_HAS_NO_ANSWER", Status.outOfRange, "the test has set no answer");
}

/** What FetchX509SVID says of an SVID: `bundle` holds the authorities of its trust domain. */
export function x509SvidToWire(
  svid: X509Svid,
  bundle: readonly TestAuthority[],
  hint = "",
): Init<workload.X509SVID> {
  return {
    spiffeId: svid.id.toString(),
    x509Svid: Buffer.concat(svid.chain),
    x509SvidKey: exportPkcs8(svid.privateKey),
    bundle: Buffer.concat(bundle.map(({ root }) => root.der)),
    hint,
  };
}

/** A message of FetchX509SVID for one authority's SVIDs. */
export async function x509Response(
  authority: TestAuthority,
  paths: readonly string[],
  federated: readonly TestAuthority[] = [],
): Promise<Init<workload.X509SVIDResponse>> {
  const svids = await Promise.all(paths.map((path) => authority.issue(path)));
  return {
    svids: svids.map((svid) => x509SvidToWire(svid, [authority])),
    federatedBundles: Object.fromEntries(
      federated.map(({ trustDomain, root }) => [trustDomain.id, root.der]),
    ),
  };
}
