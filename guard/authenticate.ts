// Who sends a request: a task, by the X509-SVID of its TLS connection, by a WIT-SVID with a proof (wit.ts), by an
// access token, or by a JWT-SVID as bearer token. Each kind is verified as what it says it is, and accepted in no other's place. Whether the
// task goes on, and what it may do, is asked afterwards: guard.ts.

import type { JwtSource } from "../client/jwt-source.ts";
import { peerOf } from "../client/tls/admit.ts";
import type { Peer } from "../client/verify.ts";
import type { ReplayGuard } from "../client/wit/replay-cache.ts";
import { assertConfidential, type ServerRequest } from "../client/wit/request.ts";
import { IdentityError, pkiError } from "../pki/errors.ts";
import { parseJwtSvidInsecurely } from "../pki/jwt/svid.ts";
import {
  type AccessToken,
  parseAccessTokenInsecurely,
  validateAccessToken,
} from "../pki/token/access-token.ts";
import { verifyDpopProof } from "../pki/token/dpop.ts";
import { typeOf } from "../pki/token/kinds.ts";
import { isConfirmedBy } from "../pki/token/thumbprint.ts";
import type { Clock } from "../runtime/clock.ts";
import { noted } from "./attempts.ts";
import { guardError } from "./errors.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import {
  type PresentedTask,
  presentedByJwtSvid,
  presentedByPeer,
  presentedByToken,
  taskNamesOf,
} from "./presented.ts";
import { readSentToken, readSentWit, type SentToken } from "./request.ts";
import { type GuardWitOptions, presentedWit } from "./wit.ts";

export interface AuthenticatorOptions {
  /** This service: what tokens must be for, to the letter. */
  readonly resource: string;
  /** Whose access tokens are accepted, and its keys; without them there are none. */
  readonly issuer: { readonly name: string; readonly keys: Pick<IssuerKeys, "find"> } | undefined;
  /** Started when the first JWT-SVID comes. */
  readonly jwtSource: () => Promise<Pick<JwtSource, "validateJwtSvid">>;
  /** Started when the first WIT-SVID comes. */
  readonly witSource: GuardWitOptions["witSource"];
  readonly replay: ReplayGuard;
  readonly requireTls: boolean;
  readonly clock: Clock;
}

const ACCESS_TOKEN_TYPES: ReadonlySet<string | undefined> = new Set(["at+jwt"]);
const JWT_SVID_TYPES: ReadonlySet<string | undefined> = new Set(["", "jwt", "jose"]);

export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * Who sent a request.
   * @throws GUARD_CREDENTIAL_MISSING, GUARD_CREDENTIAL_AMBIGUOUS, GUARD_CREDENTIAL_TOO_LARGE, GUARD_TASK_REQUIRED,
   * GUARD_PROOF_MISSING, GUARD_PROOF_REPLAYED, TRANSPORT_NOT_CONFIDENTIAL, TOKEN_KIND_WRONG, and what is wrong
   * with a token
   */
  async authenticate(request: ServerRequest): Promise<PresentedTask> {
    const peer = peerOf(request.socket);
    const { wit, sent } = readNoting(() => ({
      wit: readSentWit(request),
      sent: readSentToken(request),
    }));
    const type = sent === undefined ? undefined : this.#typeOf(sent);
    const shown: PresentedTask[] = [];
    if (wit !== undefined) shown.push(await presentedWit(request, wit, this.#options));
    if (sent !== undefined) {
      if (this.#options.requireTls) assertConfidential(request);
      shown.push(await this.#byToken(type, sent, request, peer));
    }
    // What says most about the call, which is shown beside the others: the token with its mandate.
    const presented = shown.at(-1);
    if (presented === undefined) {
      if (peer !== undefined) return this.#byPeer(peer);
      throw guardError("GUARD_CREDENTIAL_MISSING", "the request shows no task", {
        hint: "connect with a task's X509-SVID, or send an access token",
      });
    }
    const under = peer === undefined ? undefined : taskNamesOf(peer.id.toString());
    // Under the SVID of one task the token of another is a token that was passed on.
    for (const other of [under, ...shown.slice(0, -1)]) {
      if (other === undefined || other.spiffeId === presented.spiffeId) continue;
      throw noted(
        guardError("GUARD_CREDENTIAL_AMBIGUOUS", "the token is of another task than the SVID", {
          hint: "use the credentials of one task",
        }),
        { kind: "key-mismatch", task: other },
      );
    }
    return presented;
  }

  /** Its SVID was verified at the handshake; the connection may be older than it was to live. */
  #byPeer(peer: Peer): PresentedTask {
    if (peer.leaf.notAfter <= this.#options.clock.now()) {
      throw pkiError(
        "SVID_EXPIRED",
        `the SVID of ${peer.id} has expired since the connection was made`,
        {
          hint: "connect again",
        },
      );
    }
    return presentedByPeer(peer);
  }

  /** @throws TOKEN_KIND_WRONG for what is no token of a task, such as a WIT-SVID, which is never one */
  #typeOf({ token }: SentToken): string | undefined {
    const type = typeOf(token);
    if (ACCESS_TOKEN_TYPES.has(type) || JWT_SVID_TYPES.has(type)) return type;
    throw noted(
      pkiError("TOKEN_KIND_WRONG", "this token is no credential of a task here", {
        hint: "send an access token (at+jwt), or a JWT-SVID of a task",
      }),
      { kind: "token-kind-confused", task: undefined },
    );
  }

  #byToken(
    type: string | undefined,
    sent: SentToken,
    request: ServerRequest,
    peer: Peer | undefined,
  ): Promise<PresentedTask> {
    if (ACCESS_TOKEN_TYPES.has(type)) return this.#byAccessToken(sent, request, peer);
    return this.#byJwtSvid(sent);
  }

  async #byAccessToken(
    sent: SentToken,
    request: ServerRequest,
    peer: Peer | undefined,
  ): Promise<PresentedTask> {
    const { issuer, resource, clock } = this.#options;
    if (issuer === undefined) {
      throw pkiError("ACCESS_TOKEN_UNTRUSTED", "no access tokens are taken here", {
        hint: "connect with a task's X509-SVID, or send its JWT-SVID",
      });
    }
    const { token } = sent;
    // Read first: a token that cannot be read makes nobody fetch keys.
    const { keyId, iss } = parseAccessTokenInsecurely(token);
    const keys = iss === issuer.name ? await issuer.keys.find(keyId) : [];
    const expected = { issuer: issuer.name, audience: resource, keys, now: clock.now() };
    let read: AccessToken;
    try {
      read = await validateAccessToken(token, expected);
    } catch (error) {
      // The audience is compared last: the signature was good, and what the token says is true.
      throw notedAudience(error, "ACCESS_TOKEN_AUDIENCE", () => {
        return parseAccessTokenInsecurely(token).taskId?.toString();
      });
    }
    const isBound = await this.#isBound(read, sent, request, peer);
    return presentedByToken(token, read, isBound);
  }

  async #isBound(
    read: AccessToken,
    sent: SentToken,
    request: ServerRequest,
    peer: Peer | undefined,
  ): Promise<boolean> {
    const { cnf } = read;
    const jkt = await this.#provenKey(read, sent, request);
    if (cnf === undefined) return false;
    if (isConfirmedBy(cnf, { jkt, certificate: peer?.leaf.der })) return true;
    const task = read.taskId === undefined ? undefined : taskNamesOf(read.taskId.toString());
    if ("jkt" in cnf && jkt === undefined) {
      throw guardError("GUARD_PROOF_MISSING", "the access token needs a proof of its key", {
        hint: "send it as 'Authorization: DPoP' with a proof (RFC 9449)",
      });
    }
    throw noted(
      guardError("GUARD_PROOF_MISSING", "the access token is bound to another key", {
        hint: "use it over the TLS connection, or with the key, that it was issued for",
      }),
      { kind: "key-mismatch", task },
    );
  }

  /** The key of the request's DPoP proof, which must be about this request and not have been seen before. */
  async #provenKey(
    read: AccessToken,
    { scheme, token, proof }: SentToken,
    request: ServerRequest,
  ): Promise<string | undefined> {
    if (scheme === "Bearer") {
      if (proof === undefined) return undefined;
      throw guardError("GUARD_CREDENTIAL_AMBIGUOUS", "a DPoP proof came with a bearer token", {
        hint: "send the token as 'Authorization: DPoP'",
      });
    }
    if (proof === undefined || read.cnf === undefined || !("jkt" in read.cnf)) {
      throw guardError("GUARD_PROOF_MISSING", "the token is not sent with a proof of its key", {
        hint: "send a proof with each request; a token without cnf.jkt is sent as Bearer",
      });
    }
    const target = request.originalUrl ?? request.url ?? "/";
    const { jkt, jti, until } = await verifyDpopProof(proof, {
      method: request.method ?? "",
      // From configuration: what a request says of its host is the sender's word.
      url: new URL(
        // A URL takes "\" for "/", and what stands behind two of them for a host.
        target.startsWith("/") ? target.replace(/^[/\\]+/, "/") : "/",
        this.#options.resource,
      ).href,
      accessToken: token,
      now: this.#options.clock.now(),
      notBefore: this.#options.replay.since,
    });
    if (jkt !== read.cnf.jkt) return jkt;
    try {
      await this.#options.replay.remember({ sender: jkt, id: jti, until });
    } catch (cause) {
      const isReplay = cause instanceof IdentityError && cause.reason === "WIT_PROOF_REPLAYED";
      if (!isReplay) throw cause;
      throw guardError("GUARD_PROOF_REPLAYED", "the DPoP proof was seen before", {
        hint: "make a proof for each request",
        cause,
      });
    }
    return jkt;
  }

  async #byJwtSvid({ token, scheme, proof }: SentToken): Promise<PresentedTask> {
    if (scheme === "DPoP" || proof !== undefined) {
      throw guardError("GUARD_CREDENTIAL_AMBIGUOUS", "a JWT-SVID is bound to no key", {
        hint: "send it as 'Authorization: Bearer'",
      });
    }
    const { jwtSource, resource } = this.#options;
    // Read first: its subject decides whether it is worth asking the node agent about.
    const { audience, id: claimed, claims: unverified } = parseJwtSvidInsecurely(token);
    try {
      const source = await jwtSource();
      const { id } = await source.validateJwtSvid(token, resource);
      // One audience: a token for two services could be passed on by one to the other.
      if (audience.length !== 1) {
        throw pkiError("JWT_SVID_AUDIENCE", "the JWT-SVID is for several services", {
          hint: "fetch one for this service alone",
        });
      }
      return presentedByJwtSvid(token, id, unverified);
    } catch (error) {
      throw notedAudience(error, "JWT_SVID_AUDIENCE", () => claimed.toString());
    }
  }
}

function notedAudience(error: unknown, reason: string, taskOf: () => string | undefined): unknown {
  if (!(error instanceof IdentityError) || error.reason !== reason) return error;
  return noted(error, { kind: "wrong-audience", task: taskNamesOf(taskOf() ?? "") });
}

function readNoting<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const isConfused = error instanceof IdentityError && error.reason === "TOKEN_KIND_WRONG";
    throw isConfused ? noted(error, { kind: "token-kind-confused", task: undefined }) : error;
  }
}
