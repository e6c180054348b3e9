// Proof of possession by signing the HTTP request (draft-ietf-wimse-http-signature, a profile of RFC 9421):
// method, target, body and the fields that matter are bound, and the receiver. The key and the
// algorithm are those of the WIT-SVID, never of the signature's parameters. Signed responses are not
// built: a request that demands one is refused.

import { randomBytes } from "node:crypto";
import { type IdentityError, pkiError } from "../errors.ts";
import { isSignedWith, signWith } from "../jwt/signature.ts";
import { checkContentDigest, formatContentDigest } from "./content-digest.ts";
import { fieldValues, type HttpRequest, unbound, WIT_FIELD } from "./http-request.ts";
import type { ProofKey } from "./private-jwk.ts";
import {
  checkAudience,
  DEFAULT_PROOF_LEEWAY_SECONDS,
  DEFAULT_PROOF_LIFETIME_SECONDS,
  MAX_PROOF_LIFETIME_SECONDS,
  type ProofExpectation,
  type VerifiedProof,
} from "./proof-token.ts";
import { signatureBase } from "./signature-base.ts";
import {
  formatBytes,
  formatInnerList,
  type InnerList,
  isSfString,
  parseDictionary,
} from "./structured-fields.ts";

const TAG = "wimse-workload-to-workload";
const LABEL = "wimse";
/** Bound always, and bound when they are there. */
const ALWAYS = ["@method", "@request-target", WIT_FIELD];
const WHEN_PRESENT = ["content-type", "content-digest", "authorization", "txn-token"];
const MAX_NONCE_LENGTH = 256;
const NONCE_BYTES = 16;

export interface SignatureRequest {
  /** With the field of the WIT-SVID among its fields. */
  readonly request: HttpRequest;
  readonly body?: Uint8Array | undefined;
  readonly key: ProofKey;
  /** The target URI without query and fragment, or what else its receiver calls itself. */
  readonly audience: string;
  /** Further fields to bind, lower-case. */
  readonly otherNames?: readonly string[];
  readonly now: Date;
  readonly lifetimeSeconds?: number;
}

/** Signs a request: the fields to add to it, by their lower-case names. */
export function signRequest(options: SignatureRequest): Readonly<Record<string, string>> {
  const { key, audience, now, body, otherNames = [] } = options;
  if (!isSfString(audience)) throw new TypeError("an audience has characters outside ASCII");
  const digest = body !== undefined && body.length > 0 ? formatContentDigest(body) : undefined;
  const request: HttpRequest =
    digest === undefined
      ? options.request
      : { ...options.request, fields: withDigest(options.request, digest) };
  const present = [...WHEN_PRESENT, ...otherNames].filter(
    (name) => fieldValues(request, name).length > 0,
  );
  const created = Math.floor(now.getTime() / 1000);
  const list: InnerList = {
    items: [...ALWAYS, ...new Set(present)].map((value) => ({ value, parameters: new Map() })),
    parameters: new Map<string, string | number>([
      ["created", created],
      ["expires", created + (options.lifetimeSeconds ?? DEFAULT_PROOF_LIFETIME_SECONDS)],
      ["nonce", randomBytes(NONCE_BYTES).toString("base64url")],
      ["tag", TAG],
      ["wimse-aud", audience],
    ]),
  };
  const signature = signWith(key.alg, key.privateKey, signatureBase(request, list));
  return {
    ...(digest !== undefined && { "content-digest": digest }),
    "signature-input": `${LABEL}=${formatInnerList(list)}`,
    signature: `${LABEL}=${formatBytes(signature)}`,
  };
}

/** Whether a request carries a signature of this profile. */
export function hasRequestSignature(request: HttpRequest): boolean {
  return fieldValues(request, "signature-input").some((value) => value.includes(`"${TAG}"`));
}

/**
 * Verifies the signature of a request and its Content-Digest. `body` is the whole body; with undefined the
 * request has none.
 * @throws WIT_PROOF_MALFORMED, WIT_PROOF_CLAIMS, WIT_PROOF_UNTRUSTED, WIT_PROOF_EXPIRED,
 * WIT_PROOF_NOT_YET_VALID, WIT_PROOF_AUDIENCE, WIT_PROOF_BINDING
 */
export function verifyRequestSignature(
  expectation: ProofExpectation & { readonly body?: Uint8Array | undefined },
): VerifiedProof {
  const { request, confirmation, tokens, body = new Uint8Array() } = expectation;
  const { list, signature } = readSignature(request);
  checkCoverage(request, list, [...tokens.others.keys()]);
  const { nonce, expiresAt, audience } = readParameters(list, expectation);
  const base = signatureBase(request, list);
  if (!isSignedWith(confirmation.alg, confirmation.key, base, signature)) {
    throw pkiError("WIT_PROOF_UNTRUSTED", "the signature of the request is wrong", {
      hint: "sign with the key and the algorithm that the WIT-SVID names",
    });
  }
  checkAudience(audience, expectation);
  const [digest] = fieldValues(request, "content-digest");
  if (digest !== undefined) checkContentDigest(digest, body);
  else if (body.length > 0) throw unbound("there is a body, and no Content-Digest");
  return { id: nonce, expiresAt };
}

/** The one signature of this profile, whatever its label; other signatures are not looked at. */
function readSignature(request: HttpRequest): { list: InnerList; signature: Uint8Array } {
  let inputs: ReturnType<typeof parseDictionary>;
  let signatures: ReturnType<typeof parseDictionary>;
  try {
    inputs = parseDictionary(fieldValues(request, "signature-input").join(", "));
    signatures = parseDictionary(fieldValues(request, "signature").join(", "));
  } catch (cause) {
    throw malformed((cause as Error).message, cause);
  }
  const ours = [...inputs].filter(([, member]) => member.parameters.get("tag") === TAG);
  const [[label, list] = []] = ours;
  if (label === undefined || list === undefined || ours.length > 1) {
    throw malformed(`it has ${ours.length} signatures with the tag ${TAG}, not one`);
  }
  const member = signatures.get(label);
  const value = member !== undefined && "value" in member ? member.value : undefined;
  if (!("items" in list)) throw malformed("it names no components");
  if (!(value instanceof Uint8Array)) throw malformed("there is no signature for its input");
  return { list, signature: value };
}

function checkCoverage(request: HttpRequest, list: InnerList, otherNames: readonly string[]): void {
  const covered = new Set(list.items.map(({ value }) => value));
  const present = [...WHEN_PRESENT, ...otherNames].filter(
    (name) => fieldValues(request, name).length > 0,
  );
  for (const name of [...ALWAYS, ...present]) {
    if (!covered.has(name)) throw unbound(`it does not cover "${name}"`);
    // Joined with commas for the signature, but some reader takes the first alone.
    if (fieldValues(request, name).length > 1) throw unbound(`"${name}" appears more than once`);
  }
}

function readParameters({ parameters }: InnerList, expectation: ProofExpectation) {
  const created = parameters.get("created");
  const expires = parameters.get("expires");
  const nonce = parameters.get("nonce");
  const audience = parameters.get("wimse-aud");
  for (const name of ["keyid", "alg"]) {
    if (parameters.has(name)) throw wrong(`it names its ${name}: only the WIT-SVID does`);
  }
  if (parameters.get("wimse-sign-response") === true) {
    throw wrong("it demands a signed response, which is not made here");
  }
  if (typeof created !== "number" || typeof expires !== "number") {
    throw wrong("it does not say when it was created and expires");
  }
  if (typeof nonce !== "string" || nonce === "" || nonce.length > MAX_NONCE_LENGTH) {
    throw wrong("it has no nonce of reasonable length");
  }
  if (typeof audience !== "string" || audience === "") throw wrong("it has no wimse-aud");
  checkLife(created, expires, expectation);
  return { nonce, audience, expiresAt: new Date(expires * 1000) };
}

function checkLife(created: number, expires: number, expectation: ProofExpectation): void {
  const { now, maxLifetimeSeconds = MAX_PROOF_LIFETIME_SECONDS } = expectation;
  const leeway = expectation.leewaySeconds ?? DEFAULT_PROOF_LEEWAY_SECONDS;
  const nowSeconds = now.getTime() / 1000;
  if (!(expires > created)) throw wrong("it expires before it was created");
  if (expires - created > maxLifetimeSeconds) {
    throw wrong(`it lives ${expires - created} s, over the ${maxLifetimeSeconds} s allowed here`);
  }
  if (!(nowSeconds < expires + leeway)) {
    throw pkiError("WIT_PROOF_EXPIRED", "the signature of the request has expired", {
      hint: "sign each request anew; compare the clocks",
    });
  }
  if (created > nowSeconds + leeway) {
    throw pkiError("WIT_PROOF_NOT_YET_VALID", "the signature of the request is of the future");
  }
}

function withDigest({ fields }: HttpRequest, digest: string): HttpRequest["fields"] {
  const others = fields.filter(([name]) => name.toLowerCase() !== "content-digest");
  return [...others, ["content-digest", digest]];
}

function malformed(why: string, cause?: unknown): IdentityError {
  return pkiError("WIT_PROOF_MALFORMED", `the signature of the request cannot be read: ${why}`, {
    cause,
  });
}

function wrong(why: string): IdentityError {
  return pkiError("WIT_PROOF_CLAIMS", `the signature of the request is wrong: ${why}`);
}
