// The CA's journal in the store: which authorities this server has, what each is doing, and which key
// of the key manager belongs to it. It holds no key. One record per server, because each server of a
// shared store has its own CA; a server knows its journal by the keys that its key manager holds.
// What is done with it: server/ca/journal.ts.

import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";

export type AuthorityKindName = "x509" | "jwt" | "wit" | "oauth";

/** Prepared: in the bundle, signs nothing yet. Active: signs. Old: signs nothing any more. */
export type AuthorityStatus = "prepared" | "active" | "old";

/** An authority as the journal knows it. */
export interface AuthorityRecord {
  readonly kind: AuthorityKindName;
  /** Subject key ID in hex for X.509, key ID (`kid`) for JWT, WIT and OAuth. */
  readonly authorityId: string;
  /** The ID of its private key in the key manager. */
  readonly keyId: string;
  readonly status: AuthorityStatus;
  readonly tainted: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** When it was committed to the bundle, and the sequence number the bundle got by that. */
  readonly publishedAt: Date;
  readonly publishedSequence: bigint;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** X.509 only: the authority's certificate, DER. */
  readonly certificate?: Uint8Array;
}

/** Where journals are kept: this, then the journal's ID. */
export const JOURNAL_PREFIX = "ca-journal/";

/** The value of a journal's record. */
export function encodeJournal(authorities: readonly AuthorityRecord[]): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      authorities: authorities.map((authority) => ({
        ...authority,
        publishedSequence: authority.publishedSequence.toString(),
        spki: Buffer.from(authority.spki).toString("base64"),
        ...(authority.certificate && {
          certificate: Buffer.from(authority.certificate).toString("base64"),
        }),
      })),
    }),
  );
}

type Json<T> = { readonly [K in keyof T]: T[K] extends string | boolean ? T[K] : string };

/**
 * Reads the value of a journal's record.
 * @throws STORE_CORRUPT
 */
export function decodeJournal(key: string, value: Uint8Array): AuthorityRecord[] {
  try {
    const json = JSON.parse(Buffer.from(value).toString("utf8")) as {
      authorities: (Json<Omit<AuthorityRecord, "certificate">> & { certificate?: string })[];
    };
    return json.authorities.map(({ certificate, ...authority }) => ({
      ...authority,
      notBefore: moment(authority.notBefore),
      notAfter: moment(authority.notAfter),
      publishedAt: moment(authority.publishedAt),
      publishedSequence: BigInt(authority.publishedSequence),
      spki: base64(authority.spki),
      ...(certificate === undefined ? {} : { certificate: base64(certificate) }),
    }));
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the record ${key} is not a journal of authorities`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}

/** Every journal of the store, by its ID. */
export async function readJournals(
  log: OrderedLog,
): Promise<{ readonly id: string; readonly authorities: readonly AuthorityRecord[] }[]> {
  const journals = [];
  for (let after: string | undefined; ; ) {
    const page = await log.list(JOURNAL_PREFIX, after === undefined ? {} : { after });
    for (const { key, value } of page.records) {
      journals.push({
        id: key.slice(JOURNAL_PREFIX.length),
        authorities: decodeJournal(key, value),
      });
    }
    if (page.next === undefined) return journals;
    after = page.next;
  }
}

function moment(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new RangeError("not a moment");
  return date;
}

/** Bytes in a buffer of their own: small Buffers share a pool that would be kept alive whole. */
function base64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}
