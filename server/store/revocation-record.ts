// What the server keeps of a revocation, and how it lies in the store: JSON, which a person may have to
// read in an emergency, with the many serial numbers and tokens of one as short words in one string.

import { serverError } from "../errors.ts";
import type { StoredRecord } from "./log.ts";

/** Why: names of RFC 5280 s5.3.1. */
export type SvidRevocationReason =
  | "unspecified"
  | "key-compromise"
  | "affiliation-changed"
  | "superseded"
  | "cessation-of-operation"
  | "privilege-withdrawn";

/** What was revoked: one document, all of a SPIFFE ID, or all that a banned node agent was given. */
export interface RevocationTarget {
  readonly kind: "serial" | "jti" | "spiffe-id" | "agent";
  readonly value: string;
}

/** New documents that are refused. */
export interface Hold {
  readonly spiffeId: string;
  /** Through this node agent alone; absent: through whichever, and to administrators too. */
  readonly agentId?: string;
  readonly releasedAtUnixSeconds?: number;
  readonly releasedBy?: string;
}

/** A certificate that is void. */
export interface RevokedSerial {
  /** "" when nobody knows who signed it: it is then on the list of every authority. */
  readonly authorityId: string;
  /** Lowercase hexadecimal digits. */
  readonly serial: string;
  readonly expiresAtUnixSeconds: number;
}

/** A token that is void: by digest (hexadecimal, server/ledger/document.ts) or by `jti`. */
export interface RevokedToken {
  readonly by: "digest" | "jti";
  readonly value: string;
  readonly expiresAtUnixSeconds: number;
}

export interface RevocationRecord {
  readonly id: string;
  readonly target: RevocationTarget;
  readonly reason: SvidRevocationReason;
  readonly revokedAtUnixMs: number;
  readonly revokedBy: string;
  readonly hold?: Hold;
  readonly certificates: readonly RevokedSerial[];
  readonly tokens: readonly RevokedToken[];
  /** Every token of this SPIFFE ID that says it was issued then or before. */
  readonly tokensOf?: { readonly spiffeId: string; readonly issuedUntilUnixSeconds: number };
  /** By then everything in it has expired. */
  readonly expiresAtUnixSeconds: number;
}

export const REVOCATION_PREFIX = "revocation/";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function revocationKey(id: string): string {
  return REVOCATION_PREFIX + id;
}

export function encodeRevocation(record: RevocationRecord): Uint8Array {
  const { certificates, tokens, ...rest } = record;
  const serials: Record<string, string[]> = {};
  for (const { authorityId, serial, expiresAtUnixSeconds } of certificates) {
    serials[authorityId] ??= [];
    serials[authorityId].push(`${serial}.${expiresAtUnixSeconds}`);
  }
  const json = {
    ...rest,
    serials: Object.fromEntries(Object.entries(serials).map(([id, list]) => [id, list.join(" ")])),
    digests: tokens
      .filter(({ by }) => by === "digest")
      .map(({ value, expiresAtUnixSeconds }) => `${value}.${expiresAtUnixSeconds}`)
      .join(" "),
    jtis: tokens.filter(({ by }) => by === "jti").map(({ by: _, ...jti }) => jti),
  };
  return encoder.encode(JSON.stringify(json));
}

type Json = Omit<RevocationRecord, "certificates" | "tokens"> & {
  readonly serials: Readonly<Record<string, string>>;
  readonly digests: string;
  readonly jtis: readonly Omit<RevokedToken, "by">[];
};

/** @throws STORE_CORRUPT */
export function decodeRevocation({ key, value }: StoredRecord): RevocationRecord {
  try {
    const { serials, digests, jtis, ...rest } = JSON.parse(decoder.decode(value)) as Json;
    return {
      ...rest,
      certificates: Object.entries(serials).flatMap(([authorityId, words]) =>
        wordsOf(words).map(([serial, expiresAtUnixSeconds]) => ({
          authorityId,
          serial,
          expiresAtUnixSeconds,
        })),
      ),
      tokens: [
        ...wordsOf(digests).map(([digest, expiresAtUnixSeconds]) => ({
          by: "digest" as const,
          value: digest,
          expiresAtUnixSeconds,
        })),
        ...jtis.map((jti) => ({ by: "jti" as const, ...jti })),
      ],
    };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the stored revocation "${key}" cannot be read`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}

function wordsOf(text: string): [string, number][] {
  if (text === "") return [];
  return text.split(" ").map((word) => {
    const dot = word.indexOf(".");
    const expires = Number(word.slice(dot + 1));
    if (dot < 0 || !Number.isSafeInteger(expires))
      throw new RangeError("not a word of a revocation");
    return [word.slice(0, dot), expires];
  });
}
