// The JWT profile of the Workload API (s6): FetchJWTSVID, FetchJWTBundles and ValidateJWTSVID. Tokens come
// from agent/cache/jwt-svids.ts; the rules of validation are pki/jwt/svid.ts.

import { IdentityError, Status } from "../../pki/errors.ts";
import type { JsonObject } from "../../pki/json.ts";
import { checkAudience } from "../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import { type CallContext, Encoded, type Handlers } from "../../proto/rpc/service.ts";
import { SpiffeWorkloadApi, type workload } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { structFromJson } from "../../proto/types/struct.ts";
import { isRefusal, type JwtSvidCache, tokenId } from "../cache/jwt-svids.ts";
import type { Revocations } from "../cache/revocations.ts";
import { noIdentity, notIssued, type Profile, type View } from "../cache/view.ts";
import { agentError } from "../errors.ts";
import type { Caller } from "./callers.ts";
import { assertVerifier, follow, mapKey, type StreamOptions } from "./stream.ts";

const { methods } = SpiffeWorkloadApi;

/** What of a foreign trust domain's claims is passed on at least: it makes no assertion here beyond these. */
const FOREIGN_CLAIMS = ["sub", "aud", "exp", "iat", "nbf"];

export interface JwtOptions extends StreamOptions {
  readonly jwtSvids: JwtSvidCache;
  /** Whose a token is, where that can be another than its entry's. */
  readonly subjectOf?: (token: string) => string;
  readonly revocations: Revocations;
  readonly now: () => Date;
  /** Claims of foreign tokens that are passed on besides those of the standard. */
  readonly allowedForeignJwtClaims: readonly string[];
}

/** The answer of FetchJWTBundles: one JWK Set per trust domain, with JWT keys only. */
function jwtBundles(options: StreamOptions): Profile {
  return {
    name: "jwt-bundles",
    encode(view) {
      assertVerifier(view, options);
      const bundles: Record<string, Uint8Array> = { [mapKey(view.own)]: view.own.jwks };
      for (const [, bundle] of view.federated(view.entries)) bundles[mapKey(bundle)] = bundle.jwks;
      return Encoded.of(methods.fetchJWTBundles.response, { bundles });
    },
  };
}

/** The handlers of the JWT profile. */
export function jwtHandlers(options: JwtOptions): Handlers<typeof SpiffeWorkloadApi> {
  const bundles = jwtBundles(options);
  return {
    fetchJWTSVID: (request, context) => fetchJwtSvid(request, context, options),
    fetchJWTBundles: (_request, context) => follow(bundles, options, context),
    validateJWTSVID: (request, context) => validate(request, context, options),
  };
}

async function fetchJwtSvid(
  request: workload.JWTSVIDRequest,
  context: CallContext,
  options: JwtOptions,
): Promise<Init<workload.JWTSVIDResponse>> {
  checkAudience(request.audience);
  const only = request.spiffeId === "" ? undefined : SpiffeId.parse(request.spiffeId).toString();
  return withCaller(context, options, async (caller, view) => {
    view.assertEntitled();
    const entries = view.entries.filter((entry) => only === undefined || entry.spiffeId === only);
    const svids = await issueAll(entries, request.audience, options);
    caller.assertUnchanged();
    return { svids };
  });
}

/**
 * A token per entry. One that the server does not issue (its entry was just deleted) is left out and
 * spoils nothing; when the first of the others cannot be had, nothing is answered, because its place as
 * the default identity would fall to another.
 */
async function issueAll(
  entries: readonly RegistrationEntry[],
  audience: readonly string[],
  { jwtSvids, subjectOf }: Pick<JwtOptions, "jwtSvids" | "subjectOf">,
): Promise<Init<workload.JWTSVID>[]> {
  const outcomes = await Promise.allSettled(
    entries.map((entry) => jwtSvids.fetch(entry, audience)),
  );
  const svids: Init<workload.JWTSVID>[] = [];
  let refusal: unknown;
  for (const [i, outcome] of outcomes.entries()) {
    const entry = entries[i];
    if (entry === undefined) continue;
    if (outcome.status === "fulfilled") {
      const { value: svid } = outcome;
      const spiffeId = subjectOf?.(svid) ?? entry.spiffeId;
      svids.push({ spiffeId, svid, hint: entry.hint });
    } else if (!isRefusal(outcome.reason) && svids.length === 0) {
      throw outcome.reason;
    } else {
      refusal ??= outcome.reason;
    }
  }
  if (svids.length > 0) return svids;
  if (isOfRequest(refusal)) throw refusal;
  throw entries.length === 0 ? noIdentity() : notIssued();
}

/** Refusals of what was asked for under codes that are otherwise of identities: a task's of its mandate. */
const OF_REQUESTS: ReadonlySet<string> = new Set(["TASK_AUDIENCE_REFUSED"]);

/** Whether the server refused what was asked for, such as an audience, and not the identity. */
function isOfRequest(refusal: unknown): boolean {
  if (!(refusal instanceof IdentityError)) return false;
  return refusal.code === Status.invalidArgument || OF_REQUESTS.has(refusal.reason);
}

async function validate(
  request: workload.ValidateJWTSVIDRequest,
  context: CallContext,
  options: JwtOptions,
): Promise<Init<workload.ValidateJWTSVIDResponse>> {
  const { audience, svid } = request;
  checkAudience([audience]);
  if (svid === "") throw agentError("JWT_SVID_MISSING", "no JWT-SVID is given");
  return withCaller(context, options, async (caller, view) => {
    assertVerifier(view, options);
    const { own } = view;
    const federated = new Map(view.federated(view.entries));
    const {
      id,
      claims,
      audience: audiences,
      issuedAt,
    } = await validateJwtSvid(svid, {
      audience: [audience],
      authoritiesOf: ({ name }: TrustDomain) => {
        const trusted = name === own.bundle.trustDomain.name ? own : federated.get(name);
        return trusted?.bundle.jwtAuthorities;
      },
      now: options.now(),
    });
    caller.assertUnchanged();
    const isOwn = id.trustDomain.name === own.bundle.trustDomain.name;
    const seen = { token: svid, spiffeId: id.toString(), jti: tokenId(claims), issuedAt };
    // What other trust domains revoke is not known here, and their token IDs are their own.
    if (isOwn && options.revocations.isTokenRevoked(seen)) throw revoked(id);
    const shown = isOwn ? claims : foreignClaims(claims, options.allowedForeignJwtClaims);
    // One audience as a string and a list of one mean the same: clients get a list.
    return {
      spiffeId: id.toString(),
      claims: structFromJson(asDoubles({ ...shown, aud: audiences })),
    };
  });
}

function revoked(id: SpiffeId): Error {
  return agentError("JWT_SVID_REVOKED", `the JWT-SVID of ${id} was revoked`, {
    hint: "fetch a new one; if there is none, ask who administers the trust domain",
  });
}

async function withCaller<T>(
  context: CallContext,
  options: StreamOptions,
  work: (caller: Caller, view: View) => Promise<T>,
): Promise<T> {
  const caller = await options.admit(context);
  return work(caller, options.subscribers.view(caller.selectors));
}

/** A Struct has doubles only: integers above 2^53 lose their last digits there. */
function asDoubles(claims: JsonObject): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(claims, (_name, value: unknown) =>
      typeof value === "bigint" ? Number(value) : value,
    ),
  ) as Record<string, unknown>;
}

function foreignClaims(claims: JsonObject, allowed: readonly string[]): JsonObject {
  const names = [...FOREIGN_CLAIMS, ...allowed].filter((name) => Object.hasOwn(claims, name));
  return Object.fromEntries(names.map((name) => [name, claims[name]]));
}
