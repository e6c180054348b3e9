// Who asks the token issuer for something: the holder of an SVID of our own trust domain, shown as a JWT-SVID
// for this issuer alone (draft-ietf-oauth-spiffe-client-auth, RFC 7523) or as the certificate of the
// connection (RFC 8705). There are no secrets and no registered clients. A JWT-SVID may be shown again
// until it expires, as everywhere: it lives for a minute, and is of no use to anyone else but this issuer.

import { verifyPeer } from "../../client/verify.ts";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import { type IdentityError, pkiError } from "../../pki/errors.ts";
import { isJsonObject } from "../../pki/json.ts";
import { type JwtSvid, validateJwtSvid } from "../../pki/jwt/svid.ts";
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import { typeOf } from "../../pki/token/kinds.ts";
import type { AnchorsOf } from "../../pki/x509/svid.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Post } from "../documents/post.ts";
import { serverError } from "../errors.ts";
import type { HeldBack } from "../ledger/record-issued.ts";
import { type Form, invalid, required, shown } from "./form.ts";

const ASSERTION_TYPES: readonly string[] = [
  "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe",
  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
];
/** Both clocks are those of servers of one trust domain. */
const LEEWAY_SECONDS = 10;

/** Whoever asks, verified. */
export interface OAuthCaller {
  readonly id: SpiffeId;
  /** The leaf of the connection (DER), when it is of this same ID. */
  readonly certificate: Uint8Array | undefined;
}

export interface CallersOptions {
  readonly trustDomain: TrustDomain;
  /** The one audience of JWT-SVIDs that are shown here. */
  readonly issuer: string;
  /** The claim of a JWT-SVID that tells of its task, when its `sub` is the AI agent. */
  readonly taskClaim: string;
  readonly bundle: () => Bundle | undefined;
  readonly anchorsOf: AnchorsOf;
  readonly isRevoked: (serialHex: string) => boolean;
  readonly held: HeldBack;
  readonly clock: Clock;
}

export class Callers {
  readonly #options: CallersOptions;

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  /**
   * The one caller that everything in a request speaks for: a certificate, the client assertion, and those
   * tokens (`more`) that speak for it by themselves. A client_id must name it, or an ID above it.
   * @throws OAUTH_CLIENT_INVALID, OAUTH_REQUEST_INVALID, SVID_HELD, AI_AGENT_DISABLED, AI_AGENT_EXPIRED, and
   * what is wrong with an SVID
   */
  async identify(form: Form, post: Post, more: readonly string[] = []): Promise<OAuthCaller> {
    const assertions = [...more];
    const assertion = form.get("client_assertion");
    if (assertion !== undefined) {
      const type = required(form, "client_assertion_type");
      if (!ASSERTION_TYPES.includes(type)) {
        throw invalid(`client assertions of type ${shown(type)} are not understood`);
      }
      assertions.push(assertion);
    }
    const ids: SpiffeId[] = [];
    for (const token of assertions) ids.push(await this.byToken(token));
    const certificate = this.#byCertificate(post);
    if (certificate !== undefined) ids.push(certificate.id);
    const [id, ...others] = ids;
    if (id === undefined) {
      throw clientInvalid("nothing says who asks", {
        hint: "send a JWT-SVID for this issuer as client_assertion, or show an X509-SVID",
      });
    }
    if (others.some((other) => !other.equals(id))) {
      throw clientInvalid("its SVIDs are of different identities");
    }
    const refusal = this.#options.held.refusal(id.toString(), "");
    if (refusal !== undefined) throw refusal;
    const clientId = form.get("client_id");
    if (clientId !== undefined && clientId !== id.toString() && !isAbove(clientId, id)) {
      throw clientInvalid(`its client_id is ${shown(clientId)}, its SVID is of ${id}`);
    }
    return { id, certificate: certificate?.der };
  }

  /**
   * The holder of a JWT-SVID for this issuer.
   * @throws TOKEN_KIND_WRONG, OAUTH_CLIENT_INVALID, SVID_HELD, and the reasons of `validateJwtSvid`
   */
  async byToken(token: string): Promise<SpiffeId> {
    const { issuer, taskClaim, trustDomain, bundle, clock, held } = this.#options;
    refuseOtherKinds(token);
    const svid = await validateJwtSvid(token, {
      audience: [issuer],
      authoritiesOf: ({ name }) =>
        name === trustDomain.name ? bundle()?.jwtAuthorities : undefined,
      now: clock.now(),
      leewaySeconds: LEEWAY_SECONDS,
    });
    // One that others may take too could have been passed on by one of them.
    if (svid.audience.length !== 1) {
      throw clientInvalid("its JWT-SVID has other audiences than this issuer", {
        hint: `fetch one for ${issuer} alone`,
      });
    }
    const issuedAt = (svid.issuedAt ?? new Date(0)).getTime() / 1000;
    const refusal = held.tokenRefusal(svid.id.toString(), issuedAt);
    if (refusal !== undefined) throw refusal;
    return taskOf(svid, taskClaim) ?? svid.id;
  }

  #byCertificate({ certificates }: Post): { id: SpiffeId; der: Uint8Array } | undefined {
    if (certificates.length === 0) return undefined;
    const { anchorsOf, trustDomain, isRevoked, clock } = this.#options;
    const { id, leaf } = verifyPeer(certificates, anchorsOf, clock.now(), "client");
    if (!id.isMemberOf(trustDomain)) throw clientInvalid(`${id} is of another trust domain`);
    if (isRevoked(leaf.serialHex)) {
      throw serverError("CALLER_SVID_REVOKED", `the X509-SVID of ${id} is revoked`);
    }
    return { id, der: leaf.der };
  }
}

/** The task that a validated JWT-SVID is of, though its `sub` is the AI agent (class option `identity`). */
export function taskOf(
  { id, claims }: Pick<JwtSvid, "id" | "claims">,
  claim: string,
): SpiffeId | undefined {
  const about = claims[claim];
  const named = isJsonObject(about) ? about["id"] : undefined;
  if (typeof named !== "string" || named.length > 2048) return undefined;
  const task = SpiffeId.parse(named);
  return parseTaskId(task)?.agent === id.toString() ? task : undefined;
}

/** A token that says itself that it is no JWT-SVID: named for what it is, since somebody mistook it. */
function refuseOtherKinds(token: string): void {
  const type = typeOf(token);
  if (type === undefined || type === "" || type === "jwt" || type === "jose") return;
  throw pkiError("TOKEN_KIND_WRONG", `a token of type ${shown(type)} is no JWT-SVID`, {
    hint: "fetch a JWT-SVID for this issuer: access tokens and proofs speak for nobody here",
  });
}

/** Whether an ID is that of the AI agent whose task this is: clients know themselves by it. */
function isAbove(clientId: string, id: SpiffeId): boolean {
  const text = id.toString();
  const at = text.lastIndexOf("/task/");
  return at > 0 && text.slice(0, at) === clientId;
}

export function clientInvalid(why: string, detail: { hint?: string } = {}): IdentityError {
  return serverError("OAUTH_CLIENT_INVALID", `the client is not accepted: ${why}`, detail);
}
