// The receiving side of WIT-SVIDs (WIT-SVID s5, WIMSE proof token and HTTP signature drafts): one call that
// says who sent a request, or refuses it. A WIT-SVID counts only with a fresh proof of its key, made for
// this service, over a secure channel, that was not seen before.

import type { WitAuthority } from "../../pki/bundle/bundle.ts";
import type { JsonObject } from "../../pki/json.ts";
import type { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import {
  findTokens,
  type HttpRequest,
  PROOF_FIELD,
  pathOf,
  singleField,
  WIT_FIELD,
} from "../../pki/wit/http-request.ts";
import { hasRequestSignature, verifyRequestSignature } from "../../pki/wit/http-signature.ts";
import {
  type ProofExpectation,
  type VerifiedProof,
  verifyProofToken,
} from "../../pki/wit/proof-token.ts";
import { isWit, validateWitSvid } from "../../pki/wit/svid.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import { type AuthorizeId, checkAuthorized } from "../tls/authorize.ts";
import { audienceTest } from "./audience.ts";
import type { ReplayGuard } from "./replay-cache.ts";
import {
  assertConfidential,
  mayHaveBody,
  readRequest,
  type ServerRequest,
  unpresentable,
} from "./request.ts";

/** The two ways to prove possession of the key. */
export type ProofForm = "proof-token" | "http-signature";

export interface VerifyWitOptions {
  /** Knows the WIT authorities: a WitSource, or a BundleMapFile. Not keys of another kind by mistake. */
  readonly source: {
    readonly witAuthoritiesOf: (trustDomain: TrustDomain) => readonly WitAuthority[] | undefined;
  };
  /** Which senders to serve. */
  readonly authorize: AuthorizeId;
  /**
   * How this service is reached, such as `https://ledger.internal`: a proof must be made for this and the
   * path of the request. From configuration; what a request says of its host is the sender's word.
   */
  readonly origin?: string | readonly string[];
  /** What else proofs may be made for, to the letter: names that were agreed upon. */
  readonly audience?: string | readonly string[];
  /** Remembers proofs, for as long as the service runs: a ReplayCache. */
  readonly replay: ReplayGuard;
  /** The whole body, which a signature covers: needed for signed requests that have one. */
  readonly body?: Uint8Array;
  /** The forms of proof that are accepted. Default: both. */
  readonly proofs?: readonly ProofForm[];
  /** Fields whose tokens this service decides by, besides Authorization and Txn-Token: each must be bound. */
  readonly otherTokens?: readonly string[];
  /** With false, plain text is accepted: only behind a proxy of your own that ends TLS. */
  readonly requireTls?: boolean;
  /** Allowance for clocks that differ, at most 120. Default 60 for the WIT-SVID, 10 for the proof. */
  readonly leewaySeconds?: number;
  /** Longest life of a proof that is accepted. Default 300. */
  readonly maxProofLifetimeSeconds?: number;
  /** Longest life of a WIT-SVID that is accepted. Default: no limit. */
  readonly maxLifetimeSeconds?: number;
  readonly clock?: Clock;
}

/** Who sent a request. */
export interface VerifiedWit {
  readonly id: SpiffeId;
  /** The claims of the WIT-SVID: assertions of the sender's trust domain alone. */
  readonly claims: JsonObject;
  readonly expiresAt: Date;
  readonly proof: ProofForm;
}

/**
 * Verifies the WIT-SVID of a request and its proof. Answer a refusal with 400, not with 401, which would
 * invite the sender to try with Authorization.
 * @throws TRANSPORT_NOT_CONFIDENTIAL, WIT_PRESENTATION_INVALID, WIT_PROOF_MISSING, WIT_PROOF_REPLAYED,
 * WIT_REPLAY_CACHE_FULL, PEER_NOT_AUTHORIZED, the reasons of `validateWitSvid`, `verifyProofToken` and
 * `verifyRequestSignature`
 */
export async function verifyWitRequest(
  incoming: ServerRequest,
  options: VerifyWitOptions,
): Promise<VerifiedWit> {
  const isAudienceOf = audienceTest(options);
  if (options.requireTls !== false) assertConfidential(incoming);
  const request = readRequest(incoming);
  const names = (options.otherTokens ?? []).map((name) => name.toLowerCase());
  const tokens = findTokens(request, names);
  const wit = readWit(request);
  const now = (options.clock ?? systemClock).now();
  const { leewaySeconds, maxLifetimeSeconds, maxProofLifetimeSeconds } = options;
  const leeway = leewaySeconds === undefined ? {} : { leewaySeconds };
  const path = pathOf(request);
  // Before the proof: the key that verifies the proof is the one that this token names.
  const svid = await validateWitSvid(wit, {
    authoritiesOf: options.source.witAuthoritiesOf,
    now,
    ...leeway,
    ...(maxLifetimeSeconds !== undefined && { maxLifetimeSeconds }),
  });
  const { form, ...proof } = await verifyProof(incoming, options, {
    wit,
    confirmation: svid.confirmation,
    isAudience: (audience) => isAudienceOf(audience, path),
    request,
    tokens,
    now,
    ...leeway,
    ...(maxProofLifetimeSeconds !== undefined && { maxLifetimeSeconds: maxProofLifetimeSeconds }),
  });
  checkAuthorized({ id: svid.id }, options.authorize);
  const until = new Date(proof.expiresAt.getTime() + (leewaySeconds ?? MAX_LEEWAY_SECONDS) * 1000);
  const id = `${form} ${proof.id}`;
  await options.replay.remember({ sender: svid.id.toString(), id, until });
  return { id: svid.id, claims: svid.claims, expiresAt: svid.expiresAt, proof: form };
}

/** A proof is remembered for longer than any default allowance accepts it. */
const MAX_LEEWAY_SECONDS = 120;

function readWit(request: HttpRequest): string {
  const authorization = singleField(request, "authorization");
  // As a bearer token it would work for whoever sees it (WIT-SVID s5).
  if (authorization?.split(/[ ,]+/).some(isWit)) {
    throw unpresentable("it came in Authorization", `send it in ${WIT_FIELD}, with a proof`);
  }
  const wit = singleField(request, WIT_FIELD);
  if (wit === undefined) {
    throw clientError("WIT_PROOF_MISSING", `the request has no ${WIT_FIELD}`, {
      hint: "present a WIT-SVID with a proof of its key",
    });
  }
  return wit;
}

async function verifyProof(
  incoming: ServerRequest,
  { proofs = ["proof-token", "http-signature"], body }: VerifyWitOptions,
  expectation: ProofExpectation,
): Promise<VerifiedProof & { readonly form: ProofForm }> {
  const { request, tokens } = expectation;
  const field = singleField(request, PROOF_FIELD);
  if (field !== undefined && tokens.proof !== undefined) {
    throw unpresentable("there are two proofs", "send one");
  }
  const token = field ?? tokens.proof;
  if (token !== undefined && proofs.includes("proof-token")) {
    return { form: "proof-token", ...(await verifyProofToken(token, expectation)) };
  }
  if (hasRequestSignature(request) && proofs.includes("http-signature")) {
    if (body === undefined && mayHaveBody(incoming, request)) {
      throw clientError("BODY_MISSING", "a signed request has a body, which was not given", {
        hint: "read the whole body first and pass it as 'body'",
      });
    }
    return { form: "http-signature", ...verifyRequestSignature({ ...expectation, body }) };
  }
  throw clientError(
    "WIT_PROOF_MISSING",
    `a WIT-SVID came without a proof of its key that is accepted here: ${proofs.join(" or ")}`,
    { hint: `send ${PROOF_FIELD}, or sign the request` },
  );
}
