// The sending side of WIT-SVIDs (WIT-SVID s5): the fields that present one with a fresh proof of its key, for
// one request. Never in Authorization, where a WIT-SVID would be taken for a bearer token.

import {
  findTokens,
  type HttpRequest,
  PROOF_FIELD,
  singleField,
  WIT_FIELD,
} from "../../pki/wit/http-request.ts";
import { signRequest } from "../../pki/wit/http-signature.ts";
import {
  DEFAULT_PROOF_LIFETIME_SECONDS,
  MAX_PROOF_LIFETIME_SECONDS,
  makeProofToken,
} from "../../pki/wit/proof-token.ts";
import { isWit } from "../../pki/wit/svid.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import { unpresentable } from "./request.ts";
import type { ProofForm } from "./verify.ts";
import type { WorkloadWitSvid } from "./wit-context.ts";

export interface PresentWitOptions {
  /** What to present: `source.svid()`. */
  readonly svid: WorkloadWitSvid;
  readonly method: string;
  /** Where the request goes: https. */
  readonly url: string | URL;
  /** The other fields of the request: tokens among them are bound to the proof. */
  readonly headers?:
    | Iterable<readonly [string, string]>
    | Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** The body, which an HTTP signature covers. */
  readonly body?: Uint8Array | string;
  /** How to prove. A proof token (the default) covers the target and the tokens, a signature the body too. */
  readonly proof?: ProofForm;
  /** What the receiver calls itself, if not by the URL. */
  readonly audience?: string;
  /** Further fields with tokens that the receiver decides by. */
  readonly otherTokens?: readonly string[];
  /** How long the proof lives, at most 300. Default 60. */
  readonly lifetimeSeconds?: number;
  /** The request goes over a unix socket: then the URL may be http. */
  readonly overUnixSocket?: boolean;
  readonly clock?: Clock;
}

/**
 * The fields to add to a request. Made for one request: each needs new ones.
 * @throws TRANSPORT_NOT_CONFIDENTIAL when the request would go in plain text, IDENTITY_EXPIRED,
 * WIT_PRESENTATION_INVALID when the fields hold a WIT-SVID already, WIT_PROOF_BINDING when a token comes twice
 */
export function presentWit(options: PresentWitOptions): Record<string, string> {
  const { svid, proof = "proof-token" } = options;
  const url = new URL(options.url);
  assertConfidential(url, options.overUnixSocket === true);
  const now = (options.clock ?? systemClock).now();
  const lifetimeSeconds = lifetimeOf(options, now);
  const fields = listOf(options.headers);
  if (fields.some(([, value]) => value.split(/[ ,]+/).some(isWit))) {
    throw unpresentable("the headers of the request hold a WIT-SVID already");
  }
  const request: HttpRequest = {
    method: options.method,
    target: url.pathname + url.search,
    fields: [...fields, [WIT_FIELD, svid.token]],
  };
  const otherNames = (options.otherTokens ?? []).map((name) => name.toLowerCase());
  const tokens = findTokens(request, otherNames);
  const audience = options.audience ?? url.origin + url.pathname;
  const shared = { key: svid.key, audience, now, lifetimeSeconds };
  singleField(request, WIT_FIELD);
  if (proof === "proof-token") {
    const made = makeProofToken({ wit: svid.token, tokens, ...shared });
    return { [WIT_FIELD]: svid.token, [PROOF_FIELD]: made };
  }
  const body = typeof options.body === "string" ? Buffer.from(options.body) : options.body;
  return { [WIT_FIELD]: svid.token, ...signRequest({ request, body, otherNames, ...shared }) };
}

function assertConfidential({ protocol }: URL, overUnixSocket: boolean): void {
  if (protocol === "https:" || (protocol === "http:" && overUnixSocket)) return;
  throw clientError(
    "TRANSPORT_NOT_CONFIDENTIAL",
    `a WIT-SVID is not presented over ${protocol} whoever listens could play its proof again`,
    { hint: "use https, or a unix socket with overUnixSocket: true" },
  );
}

/** A key is not used after its WIT-SVID has expired: no proof outlives it. */
function lifetimeOf({ svid, lifetimeSeconds }: PresentWitOptions, now: Date): number {
  const wanted = lifetimeSeconds ?? DEFAULT_PROOF_LIFETIME_SECONDS;
  if (!(wanted >= 1 && wanted <= MAX_PROOF_LIFETIME_SECONDS)) {
    throw new TypeError(`a proof of ${wanted} s: from 1 to ${MAX_PROOF_LIFETIME_SECONDS} s`);
  }
  const left = Math.floor((svid.expiresAt.getTime() - now.getTime()) / 1000);
  if (left >= 1) return Math.floor(Math.min(wanted, left));
  throw clientError("IDENTITY_EXPIRED", `the WIT-SVID of ${svid.id} has expired`, {
    hint: "take the current one from the source for each request",
  });
}

function listOf(headers: PresentWitOptions["headers"]): readonly (readonly [string, string])[] {
  if (headers === undefined) return [];
  if (Symbol.iterator in headers) return [...(headers as Iterable<readonly [string, string]>)];
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const values: readonly (string | number)[] = Array.isArray(value) ? value : [value];
    return values.map((one) => [name, String(one)] as const);
  });
}
