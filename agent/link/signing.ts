// Has workload SVIDs signed over whatever connection the link has now. While there is none every call
// fails at once, so that callers are told instead of left waiting.

import { type IdentityError, Status } from "../../pki/errors.ts";
import type { ClientOf } from "../../proto/rpc/client.ts";
import type { Service } from "../../proto/rpc/service.ts";
import { errorOfStatus } from "../../proto/rpc/status.ts";
import { SvidService, type spire } from "../../proto/schema.gen.ts";
import { spiffeIdFromWire } from "../../proto/types/spiffe-id.ts";
import type { IssuedJwt, JwtSigning } from "../cache/jwt-svids.ts";
import type { X509Signing } from "../cache/mint.ts";
import type { WitSigning } from "../cache/mint-wit.ts";
import { agentError } from "../errors.ts";
import type { Connection } from "./dial.ts";

/** Of a batch. */
const BATCH_TIMEOUT_MS = 30_000;
const JWT_TIMEOUT_MS = 10_000;

/** Signs through the server. */
export class ServerSigning implements X509Signing, WitSigning, JwtSigning {
  #connection: Connection | undefined;

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Uses this connection from now on. */
  use(connection: Connection): void {
    this.#connection = connection;
  }

  /** The connection is about to close. Another one that is in use by now stays. */
  release(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  assertConnected(): void {
    this.#connected();
  }

  /** What else is asked of the server, over the same connection. @throws SERVER_UNREACHABLE */
  client<S extends Service>(service: S): ClientOf<S> {
    return this.#connected().channel.client(service);
  }

  async signX509(
    requests: readonly { readonly entryId: string; readonly csr: Uint8Array }[],
  ): Promise<readonly (readonly Uint8Array[] | IdentityError)[]> {
    const { results } = await this.#connected()
      .channel.client(SvidService)
      .batchNewX509SVID({ params: requests }, { timeoutMs: BATCH_TIMEOUT_MS });
    checkCount(requests.length, results.length);
    return results.map(chainOf);
  }

  async issueWit(
    requests: Parameters<WitSigning["issueWit"]>[0],
  ): Promise<readonly (string | IdentityError)[]> {
    const { results } = await this.#connected()
      .channel.client(SvidService)
      .batchNewWITSVID({ params: requests }, { timeoutMs: BATCH_TIMEOUT_MS });
    checkCount(requests.length, results.length);
    return results.map(({ status, svid }) => refusalIn(status) ?? svid?.token ?? "");
  }

  async newJwtSvid(entryId: string, audience: readonly string[]): Promise<IssuedJwt> {
    const { svid } = await this.#connected()
      .channel.client(SvidService)
      .newJWTSVID({ entryId, audience }, { timeoutMs: JWT_TIMEOUT_MS });
    if (svid === undefined || svid.token === "" || svid.expiresAt <= 0 || svid.issuedAt <= 0) {
      throw agentError("SERVER_ANSWER_INVALID", "the server answered with half a JWT-SVID");
    }
    return {
      token: svid.token,
      spiffeId: spiffeIdFromWire(svid.id).toString(),
      issuedAt: new Date(svid.issuedAt * 1000),
      expiresAt: new Date(svid.expiresAt * 1000),
    };
  }

  #connected(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    throw agentError("SERVER_UNREACHABLE", "the agent has no connection to the server", {
      hint: "the agent reconnects by itself; check that the server can be reached",
    });
  }
}

function chainOf(
  result: spire.api.server.svid.v1.BatchNewX509SVIDResponse.Result,
): readonly Uint8Array[] | IdentityError {
  const { status, svid } = result;
  return refusalIn(status) ?? svid?.certChain ?? [];
}

function refusalIn(status: spire.api.types.Status | undefined): IdentityError | undefined {
  if (status === undefined || status.code === Status.ok) return undefined;
  return errorOfStatus(status.code, status.message);
}

function checkCount(asked: number, answered: number): void {
  if (asked === answered) return;
  throw agentError(
    "SERVER_ANSWER_INVALID",
    `the server answered ${asked} requests with ${answered} results`,
  );
}
