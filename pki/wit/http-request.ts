// The parts of an HTTP request that a proof of possession binds, and the tokens that come with it. A pure
// value: how a server's request becomes one: client/wit/request.ts.

import { createHash } from "node:crypto";
import { type IdentityError, pkiError } from "../errors.ts";

/** The fields of the WIMSE drafts. */
export const WIT_FIELD = "workload-identity-token";
export const PROOF_FIELD = "workload-proof-token";

export interface HttpRequest {
  readonly method: string;
  /** Path and query, as on the request line: starts with a slash. */
  readonly target: string;
  /** As they came, in order; a field that came twice is here twice. Names in any case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The values of a field, without the spaces around them. */
export function fieldValues({ fields }: HttpRequest, name: string): readonly string[] {
  return fields
    .filter(([known]) => known.toLowerCase() === name)
    .map(([, value]) => value.replace(/^[ \t]+|[ \t]+$/g, ""));
}

/**
 * The value of a field that may come once.
 * @throws WIT_PROOF_BINDING when it comes more than once: two readers could take two values
 */
export function singleField(request: HttpRequest, name: string): string | undefined {
  const [value, ...more] = fieldValues(request, name);
  if (more.length > 0) throw unbound(`the field "${name}" appears more than once`);
  return value;
}

/** The path of the target, without the query. */
export function pathOf({ target }: HttpRequest): string {
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}

/** Tokens beside the WIT-SVID: a proof binds each, so that none can be exchanged on the way. */
export interface OtherTokens {
  /** An OAuth access token, in `Authorization: Bearer` or `DPoP`. */
  readonly access: string | undefined;
  /** A proof token in `Authorization: WPT`, as drafts of the proof token have it. */
  readonly proof: string | undefined;
  readonly transaction: string | undefined;
  /** Whole values of other fields, by their lower-case name. */
  readonly others: ReadonlyMap<string, string>;
}

/**
 * Finds the tokens of a request. `otherNames` are fields (lower-case) whose tokens matter to whoever asks.
 * @throws WIT_PROOF_BINDING when one of the fields appears more than once
 */
export function findTokens(request: HttpRequest, otherNames: readonly string[] = []): OtherTokens {
  const authorization = singleField(request, "authorization");
  const [, scheme = "", credentials = ""] = /^(\S+) +(.*)$/.exec(authorization ?? "") ?? [];
  const is = (...names: string[]) => names.includes(scheme.toLowerCase());
  const others = new Map<string, string>();
  for (const name of otherNames) {
    const value = singleField(request, name);
    if (value !== undefined) others.set(name, value);
  }
  // Credentials of a scheme that no claim of its own is meant for are a token like others.
  if (authorization !== undefined && !is("bearer", "dpop", "wpt")) {
    others.set("authorization", authorization);
  }
  return {
    access: is("bearer", "dpop") ? credentials : undefined,
    proof: is("wpt") ? credentials : undefined,
    transaction: singleField(request, "txn-token"),
    others,
  };
}

/** SHA-256 of a token's ASCII text, base64url: how proofs name tokens. */
export function tokenHash(token: string): string {
  return createHash("sha256").update(token, "latin1").digest("base64url");
}

/** The proof is not one of this request. */
export function unbound(why: string): IdentityError {
  return pkiError("WIT_PROOF_BINDING", `the proof does not belong to this request: ${why}`);
}
