// A batch of WIT-SVIDs: what each order may ask for, and signing a few at a time. Lifetimes and admission
// are issuer.ts; what is in a token, pki/wit/issue.ts.

import { randomBytes } from "node:crypto";
import { IdentityError, pkiError } from "../../pki/errors.ts";
import { exportSpki, importSpki, isP256Spki } from "../../pki/keys.ts";
import type { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { issueWitSvid } from "../../pki/wit/issue.ts";
import { serverError } from "../errors.ts";
import type { TokenIssuer } from "./active.ts";

/** WIT-SVIDs that are signed before the event loop gets its turn: about a millisecond of work. */
const ORDERS_PER_TURN = 4;
const JTI_BYTES = 16;

/** A WIT-SVID to issue. */
export interface WitSvidOrder {
  readonly spiffeId: SpiffeId;
  /** The workload's public key, SubjectPublicKeyInfo DER. */
  readonly spki: Uint8Array;
  /** What the workload proves with; by default the usual algorithm of such a key. */
  readonly alg?: string | undefined;
  /** 0 is the server's default. */
  readonly ttlSeconds: number;
  /** More claims: those of a task. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface IssuedWitSvid {
  readonly token: string;
  /** Its `jti`: every WIT-SVID has one, of 128 random bits. */
  readonly jti: string;
  /** Whole seconds, as in the token. */
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/**
 * Answers in the order of `orders` what was issued or why it was refused. No key is bound to two SPIFFE
 * IDs of a batch: whoever held it could prove to be either.
 */
export async function issueWitSvids(
  authority: TokenIssuer,
  orders: readonly WitSvidOrder[],
  defaults: { readonly issuedAt: Date; readonly ttlSeconds: number },
): Promise<(IssuedWitSvid | IdentityError)[]> {
  const holders = new Map<string, string>();
  const results: (IssuedWitSvid | IdentityError)[] = [];
  for (let start = 0; start < orders.length; start += ORDERS_PER_TURN) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    const turn = orders.slice(start, start + ORDERS_PER_TURN).map(async (order) => {
      try {
        checkSpelling(order);
        claimKey(holders, order);
        return await issueOne(authority, order, defaults);
      } catch (error) {
        if (error instanceof IdentityError) return error;
        throw error;
      }
    });
    results.push(...(await Promise.all(turn)));
  }
  return results;
}

async function issueOne(
  authority: TokenIssuer,
  { spiffeId, spki, alg, ttlSeconds, claims }: WitSvidOrder,
  { issuedAt, ttlSeconds: defaultTtlSeconds }: { issuedAt: Date; ttlSeconds: number },
): Promise<IssuedWitSvid> {
  const { trustDomain, signer, keyId, expiresAt: keyExpiresAt } = authority;
  checkMember(spiffeId, trustDomain);
  const wantedMs = issuedAt.getTime() + (ttlSeconds || defaultTtlSeconds) * 1000;
  const expiresAt = wholeSecond(Math.min(wantedMs, keyExpiresAt.getTime()));
  const jti = randomBytes(JTI_BYTES).toString("base64url");
  const request = { signer, keyId, spiffeId, spki, issuedAt, expiresAt, jti };
  const token = await issueWitSvid({
    ...request,
    ...(alg !== undefined && { alg }),
    ...(claims !== undefined && { claims }),
  });
  return { token, jti, issuedAt, expiresAt };
}

/** A key has one spelling: bytes behind it, for one, would make it look like another. */
function checkSpelling({ spki }: WitSvidOrder): void {
  if (isP256Spki(spki) || Buffer.compare(exportSpki(importSpki(spki)), spki) === 0) return;
  throw pkiError("KEY_INVALID", "the public key is not SubjectPublicKeyInfo DER alone");
}

function claimKey(holders: Map<string, string>, { spiffeId, spki }: WitSvidOrder): void {
  const key = Buffer.from(spki).toString("base64");
  const holder = spiffeId.toString();
  const other = holders.get(key) ?? holder;
  holders.set(key, other);
  if (other === holder) return;
  throw serverError(
    "SVID_REQUEST_INVALID",
    `the key asked for "${holder}" is asked for "${other}" too`,
    { hint: "make a new key for each WIT-SVID" },
  );
}

/** @throws SVID_TRUST_DOMAIN_FOREIGN */
export function checkMember(spiffeId: SpiffeId, trustDomain: TrustDomain): void {
  if (spiffeId.isMemberOf(trustDomain)) return;
  throw pkiError(
    "SVID_TRUST_DOMAIN_FOREIGN",
    `the authority of "${trustDomain}" issues no SVID for "${spiffeId}"`,
  );
}

/** Tokens count whole seconds. */
export function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}
