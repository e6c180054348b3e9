// Getting WIT-SVIDs: a key of its own for each, made here and held in this process's memory only, a token
// from the server that is bound to it, and a check of each answer before it is held. Which entries need
// one and when: svids.ts and rotation.ts, as for X509-SVIDs.

import { IdentityError, Status } from "../../pki/errors.ts";
import type { KeyPair, KeyType } from "../../pki/keys.ts";
import { renewAt } from "../../pki/lifetime.ts";
import { formatPrivateJwk } from "../../pki/wit/private-jwk.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { HeldDocument } from "./holdings.ts";
import { tokenId } from "./jwt-svids.ts";
import { invalid, makeKeys, takeAnswers } from "./mint.ts";

/** A WIT-SVID with its private key, for one entry. */
export interface HeldWit extends HeldDocument {
  readonly token: string;
  /** A private JWK as JSON text. */
  readonly privateJwk: string;
  /** Of the authority that signed it. */
  readonly keyId: string;
  readonly jti: string | undefined;
  readonly issuedAt: Date | undefined;
}

/** Has WIT-SVIDs issued by the server. Implemented by agent/link. */
export interface WitSigning {
  /** @throws SERVER_UNREACHABLE when there is no connection, before any work is done for nothing */
  assertConnected(): void;
  /**
   * Answers in the order of the requests: a token, or why the server refuses it.
   * @throws SERVER_UNREACHABLE and what the server answers to the whole call
   */
  issueWit(
    requests: readonly {
      readonly entryId: string;
      /** SubjectPublicKeyInfo, DER. */
      readonly publicKey: Uint8Array;
      readonly signingAlgorithm: string;
    }[],
  ): Promise<readonly (string | IdentityError)[]>;
}

export interface WitMintOptions {
  readonly signing: WitSigning;
  readonly keyType: KeyType;
  /** The SPIFFE IDs that the WIT-SVID of an entry may have. Default: the entry's. */
  readonly idsOf?: (entry: RegistrationEntry) => readonly string[];
  readonly now: () => Date;
  /** Answers 0..1, to spread renewals. */
  readonly random: () => number;
}

/** What keys of each type prove with. */
const ALGORITHMS: Readonly<Record<KeyType, string>> = {
  "ec-p256": "ES256",
  "ec-p384": "ES384",
  "rsa-2048": "RS256",
  "rsa-4096": "RS256",
};

/** What of an entry goes into its WIT-SVID. The rest can change without a new one. */
export function witInputs(entry: RegistrationEntry): string {
  return JSON.stringify([entry.spiffeId, entry.x509SvidTtlSeconds]);
}

/** Makes a WIT-SVID for each entry; in its place the reason when the server refuses one. */
export async function mintWitSvids(
  entries: readonly RegistrationEntry[],
  options: WitMintOptions,
): Promise<(HeldWit | IdentityError)[]> {
  const { signing, keyType } = options;
  signing.assertConnected();
  const keys = await makeKeys(entries.length, keyType);
  const requests = keys.map(({ spki }, i) => ({
    entryId: entries[i]?.id ?? "",
    publicKey: spki,
    signingAlgorithm: ALGORITHMS[keyType],
  }));
  const answers = await signing.issueWit(requests).catch((error: unknown) => {
    // A server that issues no WIT-SVIDs says so for all at once: that is an answer, and no failure.
    if (!(error instanceof IdentityError) || error.code !== Status.unimplemented) throw error;
    return entries.map(() => error);
  });
  return takeAnswers(entries, keys, answers, "WIT-SVID", (entry, key, token) =>
    accept(entry, key, token, options),
  );
}

/** The token came from our server over a verified channel: it is read, not validated. */
function accept(
  entry: RegistrationEntry,
  key: KeyPair,
  token: string,
  { keyType, now, random, idsOf = ({ spiffeId }) => [spiffeId] }: WitMintOptions,
): HeldWit {
  const { id, keyId, confirmation, expiresAt, issuedAt, claims } = parseWitSvidInsecurely(token);
  // A server that mixed up its answers would hand one workload the identity of another.
  if (!idsOf(entry).includes(id.toString())) {
    throw invalid(entry, `a WIT-SVID of ${id}, not of ${entry.spiffeId}`);
  }
  if (Buffer.compare(confirmation.spki, key.spki) !== 0) {
    throw invalid(entry, "a WIT-SVID for another key");
  }
  const nowMs = now().getTime();
  if (expiresAt.getTime() <= nowMs) {
    throw invalid(entry, `a WIT-SVID that expired at ${expiresAt.toISOString()}`);
  }
  const { nbf } = claims;
  const notBefore = typeof nbf === "number" ? new Date(nbf * 1000) : new Date(nowMs);
  return {
    entryId: entry.id,
    spiffeId: id.toString(),
    inputs: witInputs(entry),
    token,
    privateJwk: formatPrivateJwk(key.privateKey, ALGORITHMS[keyType]),
    keyId,
    jti: tokenId(claims),
    issuedAt,
    notBefore,
    notAfter: expiresAt,
    // Not from its backdated start: see mint.ts.
    renewAt: renewAt(new Date(Math.max(notBefore.getTime(), nowMs)), expiresAt, random()),
  };
}
