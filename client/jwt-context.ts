// What a workload gets for JWT: tokens, and the keys that verify the tokens of others. Reading the
// messages of FetchJWTSVID, FetchJWTBundles and ValidateJWTSVID (Workload API s6).

import type { JwtAuthority } from "../pki/bundle/bundle.ts";
import { parseJwks } from "../pki/bundle/parse.ts";
import { parseJwtSvidInsecurely } from "../pki/jwt/svid.ts";
import { SpiffeId } from "../pki/spiffe-id.ts";
import type { workload } from "../proto/schema.gen.ts";
import { structToJson } from "../proto/types/struct.ts";
import { withoutRepeatedHints } from "./hints.ts";
import { invalid, missing, readBundleKey, reading } from "./response.ts";

/** A JWT-SVID of this workload. */
export interface WorkloadJwtSvid {
  readonly id: SpiffeId;
  /** The token itself, JWS compact serialization: a secret until it expires. */
  readonly token: string;
  readonly audience: readonly string[];
  readonly issuedAt: Date | undefined;
  readonly expiresAt: Date;
  readonly hint: string;
}

/** JWT authorities by the bare name of their trust domain. */
export type JwtBundles = ReadonlyMap<string, readonly JwtAuthority[]>;

/** What a token said, once the agent, or `validateJwtSvid` in this process, has validated it. */
export interface ValidatedJwtSvid {
  readonly id: SpiffeId;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Reads a message of FetchJWTSVID. Of SVIDs with the same hint the first counts.
 * @throws WORKLOAD_API_RESPONSE_INVALID also when a token is not for the audience that was asked for
 */
export function readJwtSvids(
  message: workload.JWTSVIDResponse,
  audience: readonly string[],
): readonly WorkloadJwtSvid[] {
  return reading("JWTSVIDResponse", () => {
    if (message.svids.length === 0) throw missing("svids");
    return withoutRepeatedHints(message.svids.map((wire) => readJwtSvid(wire, audience)));
  });
}

/**
 * Reads a message of FetchJWTBundles.
 * @throws WORKLOAD_API_RESPONSE_INVALID
 */
export function readJwtBundles(message: workload.JWTBundlesResponse): JwtBundles {
  return reading("JWTBundlesResponse", () => {
    const entries = Object.entries(message.bundles);
    if (entries.length === 0) throw missing("bundles");
    return new Map(entries.map(([key, jwks]) => [readBundleKey(key).name, parseJwks(jwks)]));
  });
}

/**
 * Reads a message of ValidateJWTSVID.
 * @throws WORKLOAD_API_RESPONSE_INVALID
 */
export function readValidation(message: workload.ValidateJWTSVIDResponse): ValidatedJwtSvid {
  return reading("ValidateJWTSVIDResponse", () => {
    const { spiffeId, claims } = message;
    if (spiffeId === "") throw missing("spiffe_id");
    if (claims === undefined || Object.keys(claims.fields).length === 0) throw missing("claims");
    return { id: SpiffeId.parse(spiffeId), claims: structToJson(claims) };
  });
}

function readJwtSvid(wire: workload.JWTSVID, asked: readonly string[]): WorkloadJwtSvid {
  if (wire.spiffeId === "") throw missing("spiffe_id");
  if (wire.svid === "") throw missing("svid");
  // Not verified: it comes straight from the agent, whom this workload trusts with its keys as well.
  const { id, audience, issuedAt, expiresAt } = parseJwtSvidInsecurely(wire.svid);
  if (id.toString() !== wire.spiffeId) {
    throw invalid(`the token of ${id} is called ${JSON.stringify(wire.spiffeId)}`);
  }
  if (!asked.every((value) => audience.includes(value))) {
    throw invalid(`the token of ${id} is not for the audience that was asked for`);
  }
  return { id, token: wire.svid, audience, issuedAt, expiresAt, hint: wire.hint };
}
